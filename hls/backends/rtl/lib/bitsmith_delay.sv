// Delay line: q is d as it was DEPTH enabled clock edges ago.  No reset: data need none.
module bitsmith_delay #(
    parameter int WIDTH = 1,
    parameter int DEPTH = 1
) (
    input  logic             clk,
    input  logic             ce,
    input  logic [WIDTH-1:0] d,
    output logic [WIDTH-1:0] q
);
  logic [DEPTH*WIDTH-1:0] line;

  if (DEPTH == 1) begin : g_single
    always_ff @(posedge clk) if (ce) line <= d;
  end else begin : g_many
    always_ff @(posedge clk) if (ce) line <= {line[(DEPTH-1)*WIDTH-1:0], d};
  end
  assign q = line[DEPTH*WIDTH-1-:WIDTH];
endmodule
