// A network for the tests of the DMA bridge: all beats of a frame go into a sum, which comes back in every beat.
// With EARLY the first beat alone makes the result, and it may come back before the rest of the frame is taken.
module demo_axis (
    input  logic aclk,
    input  logic aresetn,
    input  logic [8*`IN_BYTES-1:0] s_axis_tdata,
    input  logic s_axis_tvalid,
    output logic s_axis_tready,
    input  logic s_axis_tlast,
    output logic [8*`OUT_BYTES-1:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  logic m_axis_tready,
    output logic m_axis_tlast
);
  localparam int OUT = 8 * `OUT_BYTES;
  logic [OUT-1:0] sum, term, result;
  logic [15:0] taken, given;
  logic busy, ready_to_give, frame_end;

  assign term = OUT'(s_axis_tdata) + OUT'(s_axis_tdata >> (4 * `IN_BYTES));
  assign frame_end = taken == `IN_BEATS - 1;
  assign ready_to_give = `EARLY ? taken == 0 : frame_end;
  assign s_axis_tready = !(ready_to_give && busy);  // one result at a time
  assign m_axis_tvalid = busy;
  assign m_axis_tdata = result + OUT'(given);
  assign m_axis_tlast = given == `OUT_BEATS - 1;

  always_ff @(posedge aclk) begin
    if (!aresetn) begin
      sum <= '0;
      taken <= '0;
      given <= '0;
      busy <= 1'b0;
    end else begin
      if (s_axis_tvalid && s_axis_tready) begin
        taken <= frame_end ? '0 : taken + 1'b1;
        sum <= frame_end ? '0 : sum * 3 + term;
        if (s_axis_tlast != frame_end) $fatal(1, "tlast stands at beat %0d", taken);
        if (ready_to_give) begin
          result <= `EARLY ? term : sum * 3 + term;
          busy <= 1'b1;
        end
      end
      if (m_axis_tvalid && m_axis_tready) begin
        given <= m_axis_tlast ? '0 : given + 1'b1;
        if (m_axis_tlast) busy <= 1'b0;
      end
    end
  end
endmodule
