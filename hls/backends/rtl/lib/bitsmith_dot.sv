// Dot product of SIMD pairs: products, then a tree of adders with a register behind each level.
// LATENCY = that of the product (see there) + $clog2(SIMD).
module bitsmith_dot #(
    parameter int SIMD   = 4,
    parameter int WA     = 4,
    parameter int A_SIGN = 0,
    parameter int WW     = 4,
    parameter int W_SIGN = 1,
    parameter int KIND   = 0,
    parameter int ALONE  = 0,
    parameter int WY     = 12  // the sum is taken modulo 2^WY
) (
    input  logic               clk,
    input  logic [SIMD*WA-1:0] a,
    input  logic [SIMD*WW-1:0] w,
    output logic [WY-1:0]      y
);
  localparam int WP = KIND == 1 || KIND == 2 ? WA + 1 : A_SIGN == 0 && W_SIGN == 0 ? WA + WW + 1 : WA + WW;

  logic [SIMD*WP-1:0] products;
  for (genvar i = 0; i < SIMD; i++) begin : g_product
    bitsmith_product #(.WA(WA), .A_SIGN(A_SIGN), .WW(WW), .W_SIGN(W_SIGN), .KIND(KIND), .ALONE(ALONE)) product (
        .clk(clk), .a(a[i*WA+:WA]), .w(w[i*WW+:WW]), .y(products[i*WP+:WP]));
  end
  bitsmith_tree #(.N(SIMD), .WX(WP), .WY(WY)) tree (.clk(clk), .x(products), .y(y));
endmodule
