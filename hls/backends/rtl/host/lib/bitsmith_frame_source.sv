// Takes the bytes of a frame, keeps them, and offers them as AXI4-Stream beats, one per clock cycle.  The first byte of
// a beat becomes its lowest.  A frame of one beat is kept in registers, one of several in a memory of beats.
module bitsmith_frame_source #(
    parameter int BYTES = 1,  // of a beat
    parameter int BEATS = 1   // of a frame
) (
    input  logic               clk,
    input  logic               resetn,
    input  logic               clear,     // the next byte is a frame's first
    input  logic               push,
    input  logic [        7:0] data,
    input  logic               send,      // one cycle, after the last byte's
    output logic [8*BYTES-1:0] m_tdata,
    output logic               m_tvalid,
    input  logic               m_tready,
    output logic               m_tlast
);
  logic taken;
  assign taken = m_tvalid && m_tready;

  always_ff @(posedge clk) begin
    if (!resetn) m_tvalid <= 1'b0;
    else if (send) m_tvalid <= 1'b1;
    else if (taken && m_tlast) m_tvalid <= 1'b0;
  end

  if (BEATS == 1) begin : g_registers
    assign m_tlast = 1'b1;
    if (BYTES == 1) begin : g_byte
      always_ff @(posedge clk) if (push) m_tdata <= data;
    end else begin : g_bytes
      always_ff @(posedge clk) if (push) m_tdata <= {data, m_tdata[8*BYTES-1:8]};
    end

    logic unused_clear;
    assign unused_clear = clear;
  end else begin : g_memory
    localparam int AW = $clog2(BEATS);
    localparam logic [AW-1:0] LAST = AW'(BEATS - 1);

    logic [8*BYTES-1:0] memory[0:BEATS-1];
    logic [8*BYTES-1:0] beat;  // complete with the byte that comes now
    logic full_beat, write;
    logic [AW-1:0] at, next;  // writes and then reads: after the last of either it is zero again

    if (BYTES == 1) begin : g_byte
      assign beat = data;
      assign full_beat = 1'b1;
    end else begin : g_bytes
      localparam int LW = $clog2(BYTES);
      logic [8*BYTES-9:0] earlier;
      logic [LW-1:0] lane;
      assign beat = {data, earlier};
      assign full_beat = lane == LW'(BYTES - 1);
      always_ff @(posedge clk) begin
        if (push) earlier <= beat[8*BYTES-1:8];
        if (!resetn || clear) lane <= '0;
        else if (push) lane <= full_beat ? '0 : lane + 1'b1;
      end
    end

    assign write   = push && full_beat;
    assign m_tlast = at == LAST;

    always_comb begin
      next = at;
      if (clear) next = '0;
      else if (write || taken) next = m_tlast ? '0 : at + 1'b1;
    end

    always_ff @(posedge clk) begin
      at <= resetn ? next : '0;
      if (write) memory[at] <= beat;
      else m_tdata <= memory[next];
    end
  end
endmodule
