// A project's top with one memory file, for the tests of the vendors' drivers.
module demo_axis (
    input logic aclk, aresetn, s_axis_tvalid, s_axis_tlast, m_axis_tready,
    input logic [47:0] s_axis_tdata,
    output logic s_axis_tready, m_axis_tvalid, m_axis_tlast,
    output logic [15:0] m_axis_tdata
);
  logic [15:0] rom[0:3];
  initial $readmemh("weights.hex", rom);
  assign s_axis_tready = !m_axis_tvalid || m_axis_tready;
  always_ff @(posedge aclk) begin
    if (!aresetn) m_axis_tvalid <= 1'b0;
    else if (s_axis_tready) m_axis_tvalid <= s_axis_tvalid;
    if (s_axis_tready) begin
      m_axis_tdata <= rom[s_axis_tdata[1:0]] ^ s_axis_tdata[47:32] ^ s_axis_tdata[31:16] ^ s_axis_tdata[15:0];
      m_axis_tlast <= s_axis_tlast;
    end
  end
endmodule
