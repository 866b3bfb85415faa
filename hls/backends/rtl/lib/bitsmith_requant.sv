// Pipe: y = overflow((x * (mult << Z) + add) >> SHIFT) for every lane, mult and add per tensor or per channel.
// The half that rounding adds is part of add; rounding half to even repairs ties afterwards.
// LATENCY: product (KIND -1: 0, there is no multiplier; 0: max(1, $clog2(bits of the shorter factor)), logic; 1: 1,
// mult is the bit of -1; 3: 1, DSP block), + HAS_ADD + LAST.
module bitsmith_requant #(
    parameter int LANES     = 1,
    parameter int WX        = 8,
    parameter int X_SIGN    = 1,
    parameter int KIND      = -1,
    parameter int WM        = 1,
    parameter int M_SIGN    = 0,
    parameter int M_FOLDS   = 1,
    parameter int M_BLOCK   = 0,
    parameter logic [LANES*WM-1:0] MULT = 0,  // where M_FOLDS is 1
    parameter     MULT_FILE = "",
    parameter int Z         = 0,
    parameter int HAS_ADD   = 0,
    parameter int WA        = 1,   // add is signed
    parameter int A_FOLDS   = 1,
    parameter int A_BLOCK   = 0,
    parameter logic [LANES*WA-1:0] ADD = 0,
    parameter     ADD_FILE  = "",
    parameter int WT        = 8,   // holds x * mult + add as a signed number, more than SHIFT
    parameter int SHIFT     = 0,
    parameter int HALF_EVEN = 0,
    parameter logic               CLIP_LO = 1'b0,
    parameter logic               CLIP_HI = 1'b0,
    parameter logic signed [63:0] LO      = 64'sd0,
    parameter logic signed [63:0] HI      = 64'sd0,
    parameter int WRAP      = 0,   // more than 0: the result modulo 2^WRAP, in LO..HI
    parameter int LAST      = 1,   // 1: a register at the end; 0 only where there is another one
    parameter int WY        = 4
) (
    input  logic                clk,
    input  logic                resetn,
    input  logic                put,
    input  logic [LANES*WX-1:0] d,
    output logic                q_put,
    output logic [LANES*WY-1:0] q
);
  localparam int SHORT   = WX < WM ? WX : WM;
  localparam int ROWS    = SHORT > 1 ? $clog2(SHORT) : 1;
  localparam int PRODUCT = KIND < 0 ? 0 : KIND > 0 ? 1 : ROWS;
  localparam int LATENCY = PRODUCT + HAS_ADD + LAST;
  localparam int WR      = WT - SHIFT;
  localparam int WP      = KIND < 0 || KIND == 1 ? WX + 1 : X_SIGN == 0 && M_SIGN == 0 ? WX + WM + 1 : WX + WM;

  logic [LATENCY:0] line;
  bitsmith_put_line #(.DEPTH(LATENCY)) puts (.clk, .resetn, .put, .line);
  assign q_put = line[LATENCY];

  logic [LANES*WM-1:0] mult;
  logic [LANES*WA-1:0] add;
  bitsmith_fold_words #(.FOLDS(M_FOLDS), .WIDTH(LANES * WM), .BLOCK(M_BLOCK), .WORD(MULT), .FILE(MULT_FILE))
      mults (.clk, .resetn, .step(put), .q(mult));
  bitsmith_fold_words #(.FOLDS(A_FOLDS), .WIDTH(LANES * WA), .BLOCK(A_BLOCK), .WORD(ADD), .FILE(ADD_FILE))
      adds (.clk, .resetn, .step(line[PRODUCT]), .q(add));

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic signed [WP-1:0]      product;
    logic signed [WP+WT+Z-1:0] whole;  // wide enough to be cut to WT bits
    logic signed [WT-1:0]      sum;
    logic signed [WR-1:0]      rounded;
    logic        [WY-1:0]      y;

    if (KIND < 0) begin : g_plain
      assign product = {X_SIGN == 1 && d[i*WX+WX-1], d[i*WX+:WX]};
    end else begin : g_product
      bitsmith_product #(.WA(WX), .A_SIGN(X_SIGN), .WW(WM), .W_SIGN(M_SIGN), .KIND(KIND)) times (
          .clk, .a(d[i*WX+:WX]), .w(mult[i*WM+:WM]), .y(product));
    end
    assign whole = {{(WT + Z) {product[WP-1]}}, product} <<< Z;

    if (HAS_ADD == 1) begin : g_add
      logic signed [WA-1:0] own;
      assign own = add[i*WA+:WA];
      always_ff @(posedge clk) sum <= $signed(whole[WT-1:0]) + WT'(own);
    end else begin : g_no_add
      assign sum = whole[WT-1:0];
    end

    // With the half added, ties have gone up: an odd number with no fraction left is one too high.
    logic signed [WR-1:0] up;
    assign up = sum[WT-1:SHIFT];
    if (HALF_EVEN == 1) begin : g_even
      assign rounded = up ^ WR'(up[0] && sum[SHIFT-1:0] == '0);
    end else begin : g_floor
      assign rounded = up;
    end

    if (WRAP > 0) begin : g_wrap
      // Of the numbers with these lowest bits the one in LO..HI: its upper bits are those of LO, or one more.
      localparam logic [63-WRAP:0] UPPER = LO[63:WRAP];
      logic [63-WRAP:0] upper;
      if (LO[WRAP-1:0] == '0) begin : g_aligned
        assign upper = UPPER;
      end else begin : g_compare
        assign upper = rounded[WRAP-1:0] >= LO[WRAP-1:0] ? UPPER : UPPER + (64 - WRAP)'(1);
      end
      assign y = WY'({upper, rounded[WRAP-1:0]});
    end else begin : g_clip
      // The bounds are tested before the repair of ties, which comes late.  That is the same: a number above HI stays
      // at HI or above; one that is just LO becomes LO - 1 at most, so an odd LO counts as too low itself.
      localparam logic signed [63:0] FROM = HALF_EVEN == 1 && LO[0] ? LO + 64'sd1 : LO;
      logic              below, above;
      logic [WR+WY-1:0]  wide;
      bitsmith_bounds #(.WX(WR), .CLIP_LO(CLIP_LO), .CLIP_HI(CLIP_HI), .LO(FROM), .HI(HI)) bounds (
          .x(up), .below, .above);
      assign wide = {{WY{rounded[WR-1]}}, rounded};
      assign y    = below ? LO[WY-1:0] : above ? HI[WY-1:0] : wide[WY-1:0];
      logic unused_top;
      assign unused_top = ^wide;
    end
    if (LAST == 1) begin : g_last
      always_ff @(posedge clk) q[i*WY+:WY] <= y;
    end else begin : g_direct
      assign q[i*WY+:WY] = y;
    end

    logic unused;
    assign unused = ^{whole, sum, rounded};
  end

  logic unused;
  assign unused = ^{line, mult, add};
endmodule
