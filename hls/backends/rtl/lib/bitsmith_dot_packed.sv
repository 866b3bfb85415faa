// Two dot products with the same a on one multiplier per pair: low and high weight of a pair are one factor,
// (high - (low < 0)) * 2^SHIFT + low, whose upper and lower parts come from the ROM.  Sums of up to 2^LEVELS
// products stay packed (SHIFT bits must hold the low one); then the borrow of the low sum is given back to the
// high one, and both go on by themselves.  LATENCY = 2 + $clog2(SIMD).
module bitsmith_dot_packed #(
    parameter int SIMD   = 4,
    parameter int WA     = 4,
    parameter int A_SIGN = 0,
    parameter int WL     = 4,   // bits of the low weight, signed
    parameter int WH     = 5,   // bits of the upper part, signed
    parameter int SHIFT  = 10,
    parameter int LEVELS = 2,   // at most $clog2(SIMD)
    parameter int WY     = 12,
    parameter int ALONE  = 0    // see bitsmith_product
) (
    input  logic                    clk,
    input  logic [SIMD*WA-1:0]      a,
    input  logic [SIMD*(WL+WH)-1:0] w,     // per pair: the low weight in the lower bits
    output logic [WY-1:0]           low,
    output logic [WY-1:0]           high
);
  localparam int W1 = SHIFT + WH;
  localparam int A1 = WA + 1 - A_SIGN;
  localparam int WS = W1 + A1 + LEVELS;   // packed sum
  localparam int LEAF = 1 << LEVELS;
  localparam int SUMS = (SIMD + LEAF - 1) / LEAF;
  localparam int WU = WS - SHIFT;

  logic [SUMS*SHIFT-1:0] lows;
  logic [SUMS*WU-1:0]    highs;

  for (genvar k = 0; k < SUMS; k++) begin : g_sum
    logic [LEAF*(W1+A1)-1:0] products;
    logic [WS-1:0]           sum;
    logic [SHIFT-1:0]        lower;
    logic [WU-1:0]           upper;
    for (genvar j = 0; j < LEAF; j++) begin : g_product
      if (k * LEAF + j < SIMD) begin : g_real
        localparam int I = k * LEAF + j;
        bitsmith_product #(.WA(WA), .A_SIGN(A_SIGN), .WW(W1), .W_SIGN(1), .KIND(3), .ALONE(ALONE),
                           .WY(W1 + A1)) product (
            .clk(clk), .a(a[I*WA+:WA]), .y(products[j*(W1+A1)+:W1+A1]),
            .w({w[I*(WL+WH)+WL+:WH], {(SHIFT - WL) {w[I*(WL+WH)+WL-1]}}, w[I*(WL+WH)+:WL]}));
      end else begin : g_none
        assign products[j*(W1+A1)+:W1+A1] = '0;
      end
    end
    bitsmith_tree #(.N(LEAF), .WX(W1 + A1), .WY(WS)) tree (.clk(clk), .x(products), .y(sum));
    always_ff @(posedge clk) begin
      lower <= sum[SHIFT-1:0];
      upper <= sum[WS-1:SHIFT] + WU'(sum[SHIFT-1]);
    end
    assign lows[k*SHIFT+:SHIFT] = lower;
    assign highs[k*WU+:WU] = upper;
  end

  bitsmith_tree #(.N(SUMS), .WX(SHIFT), .WY(WY)) tree_low (.clk(clk), .x(lows), .y(low));
  bitsmith_tree #(.N(SUMS), .WX(WU), .WY(WY)) tree_high (.clk(clk), .x(highs), .y(high));
endmodule
