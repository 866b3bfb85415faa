// Written by Bitsmith; project.json says by which version and from which net.
// Net small with AXI4-Stream ports.
// s_axis_tdata: 40 beats a frame, 1 integers of 3 bits each, lane 0 in the lowest bits; zero padded to bytes.
// m_axis_tdata: 3 beats a frame, 1 integers of 9 bits each; zero padded to bytes; tlast ends a frame.
module small_axis (
    input  logic aclk,
    input  logic aresetn,  // synchronous, active low
    input  logic [7:0] s_axis_tdata,
    input  logic s_axis_tvalid,
    output logic s_axis_tready,
    input  logic s_axis_tlast,  // not needed: frames are counted
    output logic [15:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  logic m_axis_tready,
    output logic m_axis_tlast
);
  logic [8:0] result;

  small_core u_core (
      .clk(aclk),
      .resetn(aresetn),
      .s_valid(s_axis_tvalid),
      .s_ready(s_axis_tready),
      .s_data(s_axis_tdata[2:0]),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready),
      .m_data(result)
  );

  bitsmith_count #(
      .N(3)
  ) u_beats (
      .clk(aclk),
      .resetn(aresetn),
      .step(m_axis_tvalid && m_axis_tready),
      .last(m_axis_tlast)
  );

  assign m_axis_tdata = {7'd0, result};

  logic unused;
  assign unused = ^{s_axis_tlast, s_axis_tdata[7:3]};
endmodule
