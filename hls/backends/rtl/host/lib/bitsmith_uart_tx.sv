// UART transmitter: 8 data bits, no parity, 1 stop bit.
module bitsmith_uart_tx #(
    parameter int DIVIDER = 104  // clock cycles per bit
) (
    input  logic       clk,
    input  logic       resetn,
    output logic       tx,     // to the pin; idle high
    input  logic       valid,
    output logic       ready,  // a byte is taken where valid and ready are high
    input  logic [7:0] data
);
  localparam int W = $clog2(DIVIDER);
  localparam logic [W-1:0] BIT = W'(DIVIDER - 1);
  localparam logic [9:0] LAST = 10'b11_1111_1110;

  // The frame inverted, so that the line is high from power-up on; ones follow it, and LAST is the stop bit alone.
  logic [9:0] frame;
  logic [W-1:0] wait_for;

  assign tx = !frame[0];

  always_ff @(posedge clk) begin
    ready <= resetn && frame == LAST && wait_for == '0 && !(valid && ready);
    if (!resetn) begin
      frame    <= LAST;
      wait_for <= '0;
    end else if (wait_for != '0) begin
      wait_for <= wait_for - 1'b1;
    end else if (frame != LAST) begin
      frame    <= {1'b1, frame[9:1]};
      wait_for <= BIT;
    end else if (valid && ready) begin
      frame    <= {1'b0, ~data, 1'b1};
      wait_for <= BIT;
    end
  end
endmodule
