// UART receiver: 8 data bits, no parity, 1 stop bit.  A falling edge starts a byte if the line is still low in the
// middle of the start bit; a byte without a stop bit is dropped.
module bitsmith_uart_rx #(
    parameter int DIVIDER = 104  // clock cycles per bit, at least 4
) (
    input  logic       clk,
    input  logic       resetn,
    input  logic       rx,     // from the pin; idle high
    output logic       valid,  // high for one cycle
    output logic [7:0] data
);
  localparam int W = $clog2(DIVIDER);
  localparam logic [W-1:0] BIT = W'(DIVIDER - 1);
  localparam logic [W-1:0] HALF_BIT = W'(DIVIDER / 2 - 1);

  logic meta, line, previous;  // synchroniser, and the line one cycle ago
  logic busy;
  logic [3:0] place;  // 0: start bit, 1 to 8: data, 9: stop bit
  logic [W-1:0] wait_for;

  always_ff @(posedge clk) begin
    meta   <= rx;
    line   <= meta;
    previous <= line;
  end

  always_ff @(posedge clk) begin
    valid <= 1'b0;
    if (!resetn) begin
      busy <= 1'b0;
    end else if (!busy) begin
      busy     <= previous && !line;
      place    <= 4'd0;
      wait_for <= HALF_BIT;
    end else if (wait_for != '0) begin
      wait_for <= wait_for - 1'b1;
    end else begin
      wait_for <= BIT;
      place    <= place + 4'd1;
      if (place == 4'd0) begin
        busy <= !line;  // a shorter pulse is noise
      end else if (place == 4'd9) begin
        busy  <= 1'b0;
        valid <= line;
      end else begin
        data <= {line, data[7:1]};
      end
    end
  end
endmodule
