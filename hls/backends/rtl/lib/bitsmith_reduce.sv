// Head: the largest (MAX 1) or the sum (MAX 0) of every TAPS beats that follow each other, lane by lane.
module bitsmith_reduce #(
    parameter int LANES  = 1,
    parameter int TAPS   = 4,
    parameter int MAX    = 1,
    parameter int WX     = 8,
    parameter int X_SIGN = 1,
    parameter int WY     = 8
) (
    input  logic                clk,
    input  logic                resetn,
    input  logic                s_valid,
    output logic                s_ready,
    input  logic [LANES*WX-1:0] s_data,
    input  logic                room,
    output logic                issue,
    output logic                put,
    output logic [LANES*WY-1:0] q
);
  logic first, last, step;
  assign s_ready = room || !last;
  assign step    = s_valid && s_ready;
  assign issue   = step && last;
  bitsmith_count #(.N(TAPS)) count (.clk, .resetn, .step, .last);

  always_ff @(posedge clk) begin
    put <= resetn && issue;
    if (!resetn) first <= 1'b1;
    else if (step) first <= last;
  end

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    localparam int W = MAX == 1 ? WX : WY;  // padding may lie below the type of the result
    logic [WX+WY-1:0] wide;
    logic [W-1:0]     x, y;
    logic [W+WY-1:0]  result;
    assign wide = {{WY{X_SIGN == 1 && s_data[i*WX+WX-1]}}, s_data[i*WX+:WX]};
    assign x    = wide[W-1:0];
    if (MAX == 1) begin : g_max
      localparam logic [W-1:0] TURN = W'(X_SIGN) << (W - 1);  // the sign, for an unsigned comparison
      always_ff @(posedge clk) if (step && (first || (x ^ TURN) > (y ^ TURN))) y <= x;
    end else begin : g_sum
      always_ff @(posedge clk) if (step) y <= (first ? '0 : y) + x;
    end
    assign result = {{WY{X_SIGN == 1 && y[W-1]}}, y};
    assign q[i*WY+:WY] = result[WY-1:0];
    logic unused;
    assign unused = ^{wide, result};
  end
endmodule
