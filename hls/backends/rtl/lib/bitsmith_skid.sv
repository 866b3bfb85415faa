// AXI4-Stream skid buffer: s_ready comes from a register, and no beat is lost when the
// reader stalls in the cycle in which a beat arrives.  An unstalled beat passes without delay.
module bitsmith_skid #(
    parameter int WIDTH = 8
) (
    input  logic             clk,
    input  logic             resetn,
    input  logic             s_valid,
    output logic             s_ready,
    input  logic [WIDTH-1:0] s_data,
    output logic             m_valid,
    input  logic             m_ready,
    output logic [WIDTH-1:0] m_data
);
  logic             full;
  logic [WIDTH-1:0] held;
  logic             stays;

  assign m_valid = full || (s_valid && s_ready);
  assign m_data  = full ? held : s_data;
  assign stays   = m_valid && !m_ready;

  always_ff @(posedge clk) begin
    if (!resetn) begin
      full    <= 1'b0;
      s_ready <= 1'b0;
    end else begin
      full    <= stays;
      s_ready <= !stays;
    end
  end

  always_ff @(posedge clk) if (!full) held <= s_data;
endmodule
