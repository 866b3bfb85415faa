// Simulation only: writes every beat to a file, one line of hexadecimal digits each.
module bitsmith_tap #(
    parameter int WIDTH = 8,
    parameter FILE = "tap.hex"
) (
    input logic             clk,
    input logic             put,
    input logic [WIDTH-1:0] d
);
  int file;
  initial file = $fopen(FILE, "w");
  always_ff @(posedge clk) if (put) $fwrite(file, "%h\n", d);
  final $fclose(file);
endmodule
