// One light for the self-test: on when it passed, blinking when it failed, off while it runs.
module bitsmith_blink #(
    parameter int PERIOD_LOG2 = 22  // cycles of one on and off
) (
    input  logic clk,
    input  logic pass,
    input  logic fail,
    output logic light
);
  logic [PERIOD_LOG2-1:0] count;

  always_ff @(posedge clk) count <= fail ? count + 1'b1 : '0;
  assign light = pass || count[PERIOD_LOG2-1];
endmodule
