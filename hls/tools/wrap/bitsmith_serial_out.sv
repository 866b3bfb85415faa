// Registers all outputs of a design while load is high, else shifts them out to one pin.
module bitsmith_serial_out #(
    parameter int WIDTH = 8
) (
    input  logic             clk,
    input  logic             load,
    input  logic [WIDTH-1:0] d,
    output logic             serial
);
  logic [WIDTH-1:0] held;
  always_ff @(posedge clk) held <= load ? d : held >> 1;
  assign serial = held[0];
endmodule
