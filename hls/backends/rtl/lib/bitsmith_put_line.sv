// The put bit on its way through a pipe: line[k] is put as it was k cycles ago.
module bitsmith_put_line #(
    parameter int DEPTH = 1
) (
    input  logic           clk,
    input  logic           resetn,
    input  logic           put,
    output logic [DEPTH:0] line
);
  if (DEPTH == 0) begin : g_none
    assign line = put;
    logic unused;
    assign unused = ^{clk, resetn};
  end else begin : g_late
    logic [DEPTH-1:0] late;
    always_ff @(posedge clk) late <= resetn ? line[DEPTH-1:0] : '0;
    assign line = {late, put};
  end
endmodule
