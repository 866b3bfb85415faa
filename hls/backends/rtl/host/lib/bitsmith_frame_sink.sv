// Takes a frame from an AXI4-Stream and gives its bytes one by one, the lowest of a beat first.  A frame of several
// beats is kept in a memory, so that it is taken as fast as it comes; a single beat waits in the stream itself.
module bitsmith_frame_sink #(
    parameter int BYTES = 1,  // of a beat
    parameter int BEATS = 1   // of a frame
) (
    input  logic               clk,
    input  logic               resetn,
    input  logic [8*BYTES-1:0] s_tdata,
    input  logic               s_tvalid,
    output logic               s_tready,
    output logic               arrived,  // the frame's last beat is offered now
    output logic               ready,    // data is the next byte
    output logic [        7:0] data,
    input  logic               take
);
  logic [8*BYTES-1:0] beat;
  logic beat_done;  // with this byte

  if (BYTES == 1) begin : g_byte
    assign data = beat;
    assign beat_done = take;
  end else begin : g_bytes
    localparam int LW = $clog2(BYTES);
    localparam logic [LW-1:0] LAST = LW'(BYTES - 1);
    logic [LW-1:0] lane;
    assign data = beat[8*lane+:8];
    assign beat_done = take && lane == LAST;
    always_ff @(posedge clk) begin
      if (!resetn) lane <= '0;
      else if (take) lane <= beat_done ? '0 : lane + 1'b1;
    end
  end

  if (BEATS == 1) begin : g_stream
    assign beat     = s_tdata;
    assign ready    = s_tvalid;
    assign arrived  = s_tvalid;
    assign s_tready = beat_done;
  end else begin : g_memory
    localparam int AW = $clog2(BEATS);
    localparam logic [AW-1:0] LAST = AW'(BEATS - 1);

    logic [8*BYTES-1:0] memory[0:BEATS-1];
    logic full, write, last;
    logic [AW-1:0] at, next;  // writes and then reads: after the last of either it is zero again

    assign s_tready = !full;
    assign write    = s_tvalid && !full;
    assign last     = at == LAST;
    assign arrived  = write && last;

    always_comb begin
      next = at;
      if (write || beat_done) next = last ? '0 : at + 1'b1;
    end

    always_ff @(posedge clk) begin
      at    <= resetn ? next : '0;
      ready <= resetn && full && !take;
      if (!resetn || (beat_done && last)) full <= 1'b0;
      else if (arrived) full <= 1'b1;
      if (write) memory[at] <= s_tdata;
      else beat <= memory[next];
    end
  end
endmodule
