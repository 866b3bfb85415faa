// Shift register from one pin: gives each input of a design a register, whatever the number of pins.
module bitsmith_serial_in #(
    parameter int WIDTH = 8
) (
    input  logic             clk,
    input  logic             serial,
    output logic [WIDTH-1:0] q
);
  always_ff @(posedge clk) q <= WIDTH'({q, serial});
endmodule
