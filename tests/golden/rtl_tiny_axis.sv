// Written by Bitsmith; project.json says by which version and from which net.
// Net tiny with AXI4-Stream ports: one row per beat, one beat per clock cycle, 2 cycles of latency.
// s_axis_tdata: 3 x signed 4 bits, element 0 in the lowest bits; zero padded to bytes.
// m_axis_tdata: 2 x signed 2 bits, element 0 in the lowest bits; zero padded to bytes.
// A result that is not taken stalls the whole pipeline by its clock enable; m_axis_tlast is the row's s_axis_tlast.
module tiny_axis (
    input  logic aclk,
    input  logic aresetn,  // synchronous, active low
    input  logic [15:0] s_axis_tdata,
    input  logic s_axis_tvalid,
    output logic s_axis_tready,
    input  logic s_axis_tlast,
    output logic [7:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  logic m_axis_tready,
    output logic m_axis_tlast
);
  logic ce;
  logic row_valid, row_last;
  logic [11:0] row;
  logic [3:0] result;
  logic [1:0] valid, last;  // one bit per stage

  assign ce = !m_axis_tvalid || m_axis_tready;

  bitsmith_skid #(.WIDTH(13)) u_skid (
      .clk    (aclk),
      .resetn (aresetn),
      .s_valid(s_axis_tvalid),
      .s_ready(s_axis_tready),
      .s_data ({s_axis_tlast, s_axis_tdata[11:0]}),
      .m_valid(row_valid),
      .m_ready(ce),
      .m_data ({row_last, row})
  );

  tiny_core u_core (
      .clk(aclk),
      .ce (ce),
      .x  (row),
      .y  (result)
  );

  always_ff @(posedge aclk) begin
    if (!aresetn) valid <= '0;
    else if (ce) valid <= {valid[0:0], row_valid};
    if (ce) last <= {last[0:0], row_last};
  end

  assign m_axis_tvalid = valid[1];
  assign m_axis_tlast  = last[1];
  assign m_axis_tdata  = {4'd0, result};

  logic unused_padding;
  assign unused_padding = ^s_axis_tdata[15:12];
endmodule
