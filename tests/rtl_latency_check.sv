// Stops the simulation unless every beat takes exactly LATENCY cycles.
module rtl_latency_check #(
    parameter int LATENCY = 1,
    parameter     NAME    = ""
) (
    input logic clk,
    input logic resetn,
    input logic start,
    input logic stop
);
  logic [LATENCY:0] line;
  assign line[0] = start;
  always_ff @(posedge clk) begin
    line[LATENCY:1] <= resetn ? line[LATENCY-1:0] : '0;
    if (resetn && stop != line[LATENCY]) begin
      $display("%s: a beat does not take %0d cycles", NAME, LATENCY);
      $fatal;
    end
  end
endmodule
