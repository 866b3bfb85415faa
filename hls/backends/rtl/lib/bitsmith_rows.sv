// Product x * n from masked copies of x, one per bit of n, added in pairs; registers behind every level.
// Latency: STAGES, at least max(1, $clog2(N)).
module bitsmith_rows #(
    parameter int WX     = 4,
    parameter int X_SIGN = 0,  // 1: x is signed
    parameter int N      = 4,
    parameter int N_SIGN = 1,  // 1: n is signed
    parameter int STAGES = N > 1 ? $clog2(N) : 1
) (
    input  logic            clk,
    input  logic [WX-1:0]   x,
    input  logic [N-1:0]    n,
    output logic [WX+N-1:0] y   // signed if x or n is
);
  localparam int NEED = N > 1 ? $clog2(N) : 1;

  if (STAGES > NEED) begin : g_late
    logic [WX+N-1:0] early;
    bitsmith_rows #(.WX(WX), .X_SIGN(X_SIGN), .N(N), .N_SIGN(N_SIGN), .STAGES(STAGES - 1)) rows (
        .clk(clk), .x(x), .n(n), .y(early));
    always_ff @(posedge clk) y <= early;
  end else if (N == 1) begin : g_one
    logic [WX:0] row;
    assign row = n[0] ? {X_SIGN == 1 && x[WX-1], x} : '0;
    always_ff @(posedge clk) y <= N_SIGN == 1 ? -row : row;
  end else if (N == 2) begin : g_two
    logic [WX:0] low, high, sum;
    assign low  = n[0] ? {{2{X_SIGN == 1 && x[WX-1]}}, x[WX-1:1]} : '0;
    assign high = n[1] ? {X_SIGN == 1 && x[WX-1], x} : '0;
    assign sum  = N_SIGN == 1 ? low - high : low + high;
    always_ff @(posedge clk) y <= {sum, n[0] & x[0]};
  end else begin : g_split
    localparam int NL = 1 << (NEED - 1);
    localparam int NH = N - NL;
    logic [WX+NL-1:0] low;
    logic [WX+NH-1:0] high, upper;
    bitsmith_rows #(.WX(WX), .X_SIGN(X_SIGN), .N(NL), .N_SIGN(0), .STAGES(NEED - 1)) rows_low (
        .clk(clk), .x(x), .n(n[NL-1:0]), .y(low));
    bitsmith_rows #(.WX(WX), .X_SIGN(X_SIGN), .N(NH), .N_SIGN(N_SIGN), .STAGES(NEED - 1)) rows_high (
        .clk(clk), .x(x), .n(n[N-1:NL]), .y(high));
    assign upper = {{NH{X_SIGN == 1 && low[WX+NL-1]}}, low[WX+NL-1:NL]};
    always_ff @(posedge clk) y <= {upper + high, low[NL-1:0]};
  end
endmodule
