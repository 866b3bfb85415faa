// Head of a stage: takes one beat of every input together, at most one in INTERVAL cycles.
module bitsmith_join #(
    parameter int INPUTS   = 1,
    parameter int WIDTH    = 8,  // of all inputs side by side
    parameter int INTERVAL = 1
) (
    input  logic              clk,
    input  logic              resetn,
    input  logic [INPUTS-1:0] s_valid,
    output logic [INPUTS-1:0] s_ready,
    input  logic [ WIDTH-1:0] s_data,
    input  logic              room,
    output logic              issue,
    output logic              put,
    output logic [ WIDTH-1:0] q
);
  logic rested;

  if (INTERVAL == 1) begin : g_always
    assign rested = 1'b1;
  end else begin : g_rests
    localparam int W = $clog2(INTERVAL);
    logic [W-1:0] wait_for;
    assign rested = wait_for == '0;
    always_ff @(posedge clk) begin
      if (!resetn) wait_for <= '0;
      else if (issue) wait_for <= W'(INTERVAL - 1);
      else if (!rested) wait_for <= wait_for - W'(1);
    end
  end

  assign issue   = &s_valid && room && rested;
  assign s_ready = {INPUTS{issue}};

  always_ff @(posedge clk) begin
    put <= resetn && issue;
    q   <= s_data;
  end
endmodule
