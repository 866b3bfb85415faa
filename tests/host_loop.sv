// Stands in for a net in tests of the host link: keeps a frame of bytes, and gives it back, LATENCY cycles after its
// first beat was taken, possibly cut into other beats.
module host_loop #(
    parameter int IN_BYTES  = 3,
    parameter int IN_BEATS  = 4,
    parameter int OUT_BYTES = 2,
    parameter int OUT_BEATS = 6,
    parameter int LATENCY   = 20
) (
    input  logic aclk,
    input  logic aresetn,
    input  logic [8*IN_BYTES-1:0] s_axis_tdata,
    input  logic s_axis_tvalid,
    output logic s_axis_tready,
    input  logic s_axis_tlast,
    output logic [8*OUT_BYTES-1:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  logic m_axis_tready,
    output logic m_axis_tlast
);
  logic [8*IN_BYTES*IN_BEATS-1:0] frame;
  int taken, given, age;
  logic lost;  // a frame whose last beat is not marked as such is never given back

  assign s_axis_tready = taken < IN_BEATS && age[1:0] != 2'd3;  // stalls now and then
  assign m_axis_tvalid = taken == IN_BEATS && age >= LATENCY && !lost;
  assign m_axis_tdata  = frame[8*OUT_BYTES*given+:8*OUT_BYTES];
  assign m_axis_tlast  = given == OUT_BEATS - 1;

  always_ff @(posedge aclk) begin
    if (!aresetn || (m_axis_tvalid && m_axis_tready && m_axis_tlast)) begin
      taken <= 0;
      given <= 0;
      age   <= 0;
      lost  <= 1'b0;
    end else begin
      if (taken > 0 || s_axis_tvalid && s_axis_tready) age <= age + 1;
      if (s_axis_tvalid && s_axis_tready) begin
        frame[8*IN_BYTES*taken+:8*IN_BYTES] <= s_axis_tdata;
        taken <= taken + 1;
        if (s_axis_tlast != (taken == IN_BEATS - 1)) lost <= 1'b1;
      end
      if (m_axis_tvalid && m_axis_tready) given <= given + 1;
    end
  end
endmodule
