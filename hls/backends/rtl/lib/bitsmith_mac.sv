// The arithmetic of a matrix-vector unit: weights from a ROM, PE dot products of SIMD inputs (fewer products where
// weights are N of M, see bitsmith_pick), accumulators.
// Every cycle with go is a step: it takes the next word of weights, and the beat that comes READ cycles later.
// A step with first starts new sums (from the bias); LATENCY cycles after one with last they stand at q, with put.
// LATENCY = READ + that of the dot products + (1 where there is more than one step per sum, or a bias).
module bitsmith_mac #(
    parameter int DEPTH      = 16,  // words of weights
    parameter int OUTS       = 4,   // words of bias: sums per lane until the weights begin anew
    parameter int PE         = 2,
    parameter int SIMD       = 4,   // 1 where LANEWISE
    parameter int LANEWISE   = 0,   // 1: lane p has element p of the beat for itself
    parameter int WA         = 4,   // input: bits, 1 if signed
    parameter int A_SIGN     = 0,
    parameter int WW         = 4,   // weight: bits, 1 if signed, kind (see bitsmith_product; 4: packed in pairs)
    parameter int W_SIGN     = 1,
    parameter int KIND       = 0,
    parameter int ALONE      = 0,
    parameter int WH         = 5,   // KIND 4: bits of the upper part, shift, levels (see bitsmith_dot_packed)
    parameter int SHIFT      = 10,
    parameter int LEVELS     = 0,
    parameter int INDEX      = 0,   // codebook and sparse weights, see bitsmith_pick; not with KIND 4
    parameter logic [(1<<INDEX)*WW-1:0] CODEBOOK = '0,
    parameter int N          = 1,
    parameter int M          = 1,
    parameter int ACC        = 12,  // bits of a sum
    parameter int ONE_STEP   = 0,   // 1: every step is first and last
    parameter int HAS_BIAS   = 1,
    parameter int READ       = 1,   // 1 or 2
    parameter int ROM_REG    = 0,   // READ = 2: 1 puts the register behind the ROM, 0 before its address
    parameter int BLOCK      = 0,   // weights in block RAM
    parameter int BIAS_BLOCK = 0,
    parameter     WEIGHTS    = "",
    parameter     BIAS       = ""
) (
    input  logic                               clk,
    input  logic                               resetn,
    input  logic                               go,
    input  logic                               first,
    input  logic                               last,
    input  logic [(LANEWISE == 1 ? PE : SIMD)*WA-1:0] beat,
    output logic                               put,
    output logic [PE*ACC-1:0]                  q
);
  localparam int SHORT = WA < WW ? WA : WW;
  localparam int PRODUCT = KIND == 4 ? 2 : KIND != 0 || SHORT <= 2 ? 1 : $clog2(SHORT);
  localparam int COUNT = SIMD / M * N;  // products of a lane
  localparam int T = READ + PRODUCT + $clog2(COUNT);  // from a step to its sums of products
  localparam int FIELD = (INDEX > 0 ? INDEX : WW) + $clog2(M);
  localparam int WORD = KIND == 4 ? PE / 2 * SIMD * (WW + WH) : PE * COUNT * FIELD;
  localparam int AW = DEPTH > 1 ? $clog2(DEPTH) : 1;

  // Weights
  logic [AW-1:0]   address, late_address;
  logic [WORD-1:0] weights;

  if (DEPTH > 1) begin : g_address
    always_ff @(posedge clk) begin
      if (!resetn) address <= '0;
      else if (go) address <= address == AW'(DEPTH - 1) ? '0 : address + AW'(1);
    end
  end else begin : g_no_address
    assign address = '0;
  end
  if (READ == 2 && ROM_REG == 0) begin : g_late
    always_ff @(posedge clk) late_address <= address;
  end else begin : g_now
    assign late_address = address;
  end
  bitsmith_rom #(.WIDTH(WORD), .DEPTH(DEPTH), .READ(ROM_REG == 1 ? READ : 1), .BLOCK(BLOCK), .FILE(WEIGHTS)) rom (
      .clk(clk), .address(late_address), .q(weights));

  // Sums of products
  logic [PE*ACC-1:0] sums;

  if (KIND == 4) begin : g_packed
    for (genvar p = 0; p < PE / 2; p++) begin : g_pair
      bitsmith_dot_packed #(.SIMD(SIMD), .WA(WA), .A_SIGN(A_SIGN), .WL(WW), .WH(WH), .SHIFT(SHIFT), .LEVELS(LEVELS),
                            .ALONE(ALONE), .WY(ACC)) dots (
          .clk(clk), .a(beat), .w(weights[p*SIMD*(WW+WH)+:SIMD*(WW+WH)]),
          .low(sums[2*p*ACC+:ACC]), .high(sums[(2*p+1)*ACC+:ACC]));
    end
  end else begin : g_plain
    for (genvar p = 0; p < PE; p++) begin : g_lane
      logic [COUNT*WA-1:0] a;
      logic [COUNT*WW-1:0] w;
      bitsmith_pick #(.SIMD(SIMD), .WA(WA), .WW(WW), .INDEX(INDEX), .CODEBOOK(CODEBOOK), .N(N), .M(M)) pick (
          .beat(beat[(LANEWISE == 1 ? p * WA : 0)+:SIMD*WA]), .word(weights[p*COUNT*FIELD+:COUNT*FIELD]), .a(a), .w(w));
      bitsmith_dot #(.SIMD(COUNT), .WA(WA), .A_SIGN(A_SIGN), .WW(WW), .W_SIGN(W_SIGN), .KIND(KIND), .ALONE(ALONE),
                     .WY(ACC)) dot (
          .clk(clk), .a(a), .w(w), .y(sums[p*ACC+:ACC]));
    end
  end

  // What the step was, on its way beside the data: number k of a line belongs to the step of k cycles ago
  logic [T:1] goes, starts, ends;

  always_ff @(posedge clk) begin
    goes   <= resetn ? {goes[T-1:1], go} : '0;
    ends   <= resetn ? {ends[T-1:1], go && last} : '0;
    starts <= {starts[T-1:1], first};
  end

  bitsmith_sums #(.PE(PE), .ACC(ACC), .OUTS(OUTS), .ONE_STEP(ONE_STEP), .HAS_BIAS(HAS_BIAS), .BLOCK(BIAS_BLOCK),
                  .BIAS(BIAS)) accumulators (
      .clk(clk), .resetn(resetn), .go(goes[T]), .first(starts[T]), .next_last(ends[T-1]), .last(ends[T]), .x(sums),
      .put(put), .q(q));
endmodule
