// Head: RATIO beats become one, the first in the lowest bits.
module bitsmith_widen #(
    parameter int WIDTH = 8,  // of a beat that comes in
    parameter int RATIO = 2
) (
    input  logic                   clk,
    input  logic                   resetn,
    input  logic                   s_valid,
    output logic                   s_ready,
    input  logic [WIDTH-1:0]       s_data,
    input  logic                   room,
    output logic                   issue,
    output logic                   put,
    output logic [RATIO*WIDTH-1:0] q
);
  logic last, step;
  assign s_ready = room || !last;
  assign step    = s_valid && s_ready;
  assign issue   = step && last;
  bitsmith_count #(.N(RATIO)) count (.clk, .resetn, .step, .last);

  always_ff @(posedge clk) begin
    put <= resetn && issue;
    if (step) q <= {s_data, q[RATIO*WIDTH-1:WIDTH]};
  end
endmodule
