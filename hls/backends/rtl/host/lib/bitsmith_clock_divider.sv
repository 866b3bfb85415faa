// A clock slower than a PLL makes: one period is PERIOD periods of the oscillator.
module bitsmith_clock_divider #(
    parameter int PERIOD = 2  // at least 2
) (
    input  logic clk_in,
    output logic clk_out
);
  localparam int W = $clog2(PERIOD);

  logic [W-1:0] count;
  initial begin
    count   = '0;
    clk_out = 1'b0;
  end

  always_ff @(posedge clk_in) begin
    count   <= count == W'(PERIOD - 1) ? '0 : count + 1'b1;
    clk_out <= count < W'(PERIOD / 2);
  end
endmodule
