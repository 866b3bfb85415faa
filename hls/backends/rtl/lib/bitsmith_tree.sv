// Sum of N signed numbers by a tree of adders, a register behind each of its $clog2(N) levels.
// The sum is taken modulo 2^WY, so a WY that holds it is enough.
module bitsmith_tree #(
    parameter int N  = 4,
    parameter int WX = 8,
    parameter int WY = 10
) (
    input  logic            clk,
    input  logic [N*WX-1:0] x,
    output logic [WY-1:0]   y
);
  if (N == 1) begin : g_end
    if (WY > WX) begin : g_extend
      assign y = {{(WY - WX) {x[WX-1]}}, x};
    end else begin : g_same
      assign y = x[WY-1:0];
    end
    logic unused;
    assign unused = ^{clk, x};
  end else begin : g_level
    localparam int HALF = (N + 1) / 2;
    localparam int WS = WX < WY ? WX + 1 : WY;

    logic [HALF*WS-1:0] sums;
    for (genvar i = 0; i < HALF; i++) begin : g_pair
      logic signed [WX-1:0] a;
      logic signed [WS-1:0] s;
      assign a = x[2*i*WX+:WX];
      if (2 * i + 1 < N) begin : g_two
        logic signed [WX-1:0] b;
        assign b = x[(2*i+1)*WX+:WX];
        always_ff @(posedge clk) s <= WS'(a) + WS'(b);
      end else begin : g_one
        always_ff @(posedge clk) s <= WS'(a);
      end
      assign sums[i*WS+:WS] = s;
    end

    bitsmith_tree #(.N(HALF), .WX(WS), .WY(WY)) rest (.clk(clk), .x(sums), .y(y));
  end
endmodule
