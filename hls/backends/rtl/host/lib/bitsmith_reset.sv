// Reset of a board top: released some time after `ok`, which stands for a locked clock and an open button, came and
// stayed.  The time also covers block RAM that is not readable at once after configuration (iCE40).
module bitsmith_reset #(
    parameter int WAIT_LOG2 = 12
) (
    input  logic clk,
    input  logic ok,     // asynchronous
    output logic resetn  // of clk
);
  logic [1:0] sync;
  logic [WAIT_LOG2:0] count;

  initial begin  // as the flip-flops are configured
    sync  = 2'b00;
    count = '0;
  end

  assign resetn = count[WAIT_LOG2];

  always_ff @(posedge clk) begin
    sync <= {sync[0], ok};
    if (!sync[1]) count <= '0;
    else if (!resetn) count <= count + 1'b1;
  end
endmodule
