// Counts steps modulo N; last is high while it stands at N - 1.
module bitsmith_count #(
    parameter int N = 2
) (
    input  logic clk,
    input  logic resetn,
    input  logic step,
    output logic last
);
  if (N == 1) begin : g_one
    assign last = 1'b1;
    logic unused;
    assign unused = ^{clk, resetn, step};
  end else begin : g_many
    localparam int W = $clog2(N);
    logic [W-1:0] n;
    assign last = n == W'(N - 1);
    always_ff @(posedge clk) begin
      if (!resetn) n <= '0;
      else if (step) n <= last ? '0 : n + W'(1);
    end
  end
endmodule
