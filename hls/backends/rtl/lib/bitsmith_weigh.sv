// Pipe: second half of accumulate-then-multiply.  A beat has COUNT sums per lane, one per codeword (the first in the
// lowest bits); out goes bias + sum of codeword times its sum, by one multiplier per lane in COUNT cycles.
// INTERVAL = COUNT, LATENCY = COUNT + 1 + that of the product (see bitsmith_product).
module bitsmith_weigh #(
    parameter int LANES    = 2,
    parameter int COUNT    = 3,
    parameter int WS       = 8,  // sums: bits, 1 if signed
    parameter int S_SIGN   = 0,
    parameter int WW       = 8,  // codewords, signed
    parameter logic [COUNT*WW-1:0] CODEBOOK = '0,
    parameter int KIND     = 0,  // of the product
    parameter int ALONE    = 0,
    parameter int ACC      = 16,
    parameter int FOLDS    = 1,  // beats until the bias begins anew
    parameter int HAS_BIAS = 1,
    parameter int BLOCK    = 0,
    parameter     BIAS     = ""
) (
    input  logic                      clk,
    input  logic                      resetn,
    input  logic                      put,
    input  logic [LANES*COUNT*WS-1:0] d,
    output logic                      q_put,
    output logic [LANES*ACC-1:0]      q
);
  localparam int SHORT = WS < WW ? WS : WW;
  localparam int PRODUCT = KIND != 0 || SHORT <= 2 ? 1 : $clog2(SHORT);
  localparam int WP = WS + WW;

  logic [COUNT-1:0]          turn;  // one-hot: the codeword of this cycle
  logic [COUNT*WW-1:0]       values;
  logic [LANES*COUNT*WS-1:0] sums;
  logic [LANES*ACC-1:0]      products;

  always_ff @(posedge clk) turn <= resetn ? COUNT'({turn, put}) : '0;

  // The codewords and the sums move on by one each cycle.
  if (COUNT > 1) begin : g_turns
    always_ff @(posedge clk) values <= put ? CODEBOOK : {values[WW-1:0], values[COUNT*WW-1:WW]};
  end else begin : g_one_turn
    assign values = CODEBOOK;
  end

  for (genvar p = 0; p < LANES; p++) begin : g_lane
    logic [COUNT*WS-1:0] own;
    logic [WP-1:0]       product;
    assign own = sums[p*COUNT*WS+:COUNT*WS];
    always_ff @(posedge clk) begin
      sums[p*COUNT*WS+:COUNT*WS] <= put ? d[p*COUNT*WS+:COUNT*WS] : own >> WS;
    end
    bitsmith_product #(.WA(WS), .A_SIGN(S_SIGN), .WW(WW), .W_SIGN(1), .KIND(KIND), .ALONE(ALONE)) by_codeword (
        .clk(clk), .a(own[WS-1:0]), .w(values[WW-1:0]), .y(product));
    if (ACC > WP) begin : g_extend
      assign products[p*ACC+:ACC] = {{(ACC - WP) {product[WP-1]}}, product};
    end else begin : g_cut
      assign products[p*ACC+:ACC] = product[ACC-1:0];
      logic unused_top;
      assign unused_top = ^product;
    end
  end

  // Flags beside the products: number k of a line belongs to the turn of k cycles ago
  logic [PRODUCT:0] goes, starts, ends;
  assign goes[0]   = |turn;
  assign starts[0] = turn[0];
  assign ends[0]   = turn[COUNT-1];
  always_ff @(posedge clk) begin
    goes[PRODUCT:1]   <= resetn ? goes[PRODUCT-1:0] : '0;
    ends[PRODUCT:1]   <= resetn ? ends[PRODUCT-1:0] : '0;
    starts[PRODUCT:1] <= starts[PRODUCT-1:0];
  end

  bitsmith_sums #(.PE(LANES), .ACC(ACC), .OUTS(FOLDS), .HAS_BIAS(HAS_BIAS), .BLOCK(BLOCK), .BIAS(BIAS)) totals (
      .clk(clk), .resetn(resetn), .go(goes[PRODUCT]), .first(starts[PRODUCT]), .next_last(ends[PRODUCT-1]),
      .last(ends[PRODUCT]), .x(products), .put(q_put), .q(q));
endmodule
