// Between an AXI DMA and a network: words of the DMA to beats of the network, and beats back to words.
// A beat is a whole number of words in memory, the lowest first; what it does not need of the last one is zero.
// A transfer to the network is a batch of whole frames and ends with tlast; so does the one back, with the last word
// of the batch's last frame.  The next batch waits until that word is gone.
module bitsmith_dma_bridge #(
    parameter int IN_WORD   = 4,  // bytes of a word from the DMA
    parameter int IN_BYTES  = 4,  // bytes of a beat to the network
    parameter int IN_BEATS  = 1,  // beats of a frame
    parameter int OUT_WORD  = 4,
    parameter int OUT_BYTES = 4,
    parameter int OUT_BEATS = 1
) (
    input  logic aclk,
    input  logic aresetn,  // synchronous, active low

    input  logic [8*IN_WORD-1:0] s_axis_tdata,  // from the DMA
    input  logic                 s_axis_tvalid,
    output logic                 s_axis_tready,
    input  logic                 s_axis_tlast,

    output logic [8*IN_BYTES-1:0] to_tdata,  // to the network
    output logic                  to_tvalid,
    input  logic                  to_tready,
    output logic                  to_tlast,

    input  logic [8*OUT_BYTES-1:0] from_tdata,  // from the network
    input  logic                   from_tvalid,
    output logic                   from_tready,

    output logic [8*OUT_WORD-1:0] m_axis_tdata,  // to the DMA
    output logic                  m_axis_tvalid,
    input  logic                  m_axis_tready,
    output logic                  m_axis_tlast
);
  localparam int IN_WORDS = (IN_BYTES + IN_WORD - 1) / IN_WORD;
  localparam int OUT_WORDS = (OUT_BYTES + OUT_WORD - 1) / OUT_WORD;
  localparam int IN_BITS = 8 * IN_WORD * IN_WORDS;
  localparam int OUT_BITS = 8 * OUT_WORD * OUT_WORDS;
  localparam int IN_PLACES = $clog2(IN_WORDS + 1);
  localparam int OUT_PLACES = $clog2(OUT_WORDS + 1);
  localparam int IN_COUNT = $clog2(IN_BEATS + 1);
  localparam int OUT_COUNT = $clog2(OUT_BEATS + 1);

  logic closed;  // the batch's last word was taken
  logic complete;  // the network took the batch's last beat
  logic [15:0] open_frames;  // the network took all of them, their last word is not gone
  logic frame_taken, frame_gone;

  // Words to beats.
  logic [IN_BITS-1:0] beat;
  logic [IN_PLACES-1:0] words;  // of the beat that is being gathered
  logic [IN_COUNT-1:0] beats;  // of the frame that the network is taking
  logic beat_ends_batch;
  logic word_taken, beat_taken, gathered;

  assign s_axis_tready = !closed && (!to_tvalid || to_tready);
  assign word_taken = s_axis_tvalid && s_axis_tready;
  assign gathered = word_taken && words == IN_PLACES'(IN_WORDS - 1);
  assign beat_taken = to_tvalid && to_tready;
  assign to_tdata = beat[8*IN_BYTES-1:0];
  assign to_tlast = beats == IN_COUNT'(IN_BEATS - 1);
  assign frame_taken = beat_taken && to_tlast;

  always_ff @(posedge aclk) begin
    if (word_taken) beat <= IN_BITS'({s_axis_tdata, beat} >> (8 * IN_WORD));
    if (gathered) beat_ends_batch <= s_axis_tlast;
    if (!aresetn) begin
      words <= '0;
      beats <= '0;
      to_tvalid <= 1'b0;
    end else begin
      if (word_taken) words <= gathered ? '0 : words + 1'b1;
      if (beat_taken) beats <= to_tlast ? '0 : beats + 1'b1;
      to_tvalid <= gathered || (to_tvalid && !to_tready);
    end
  end

  // Beats to words.
  logic [OUT_BITS-1:0] rest;
  logic [OUT_PLACES-1:0] left;  // words of the beat that are not gone
  logic [OUT_COUNT-1:0] back;  // beats of the frame that came back
  logic beat_ends_frame;
  logic word_gone, beat_came, ending;

  // A network may finish a frame before it has taken the rest of it: the last word waits for that.
  assign ending = beat_ends_frame && left == OUT_PLACES'(1);
  assign m_axis_tvalid = left != '0 && !(ending && open_frames == '0);
  assign m_axis_tdata = rest[8*OUT_WORD-1:0];
  assign m_axis_tlast = ending && complete && open_frames == 16'd1;
  assign word_gone = m_axis_tvalid && m_axis_tready;
  assign from_tready = left == '0 || (left == OUT_PLACES'(1) && word_gone);
  assign beat_came = from_tvalid && from_tready;
  assign frame_gone = word_gone && ending;

  always_ff @(posedge aclk) begin
    if (beat_came) begin
      rest <= OUT_BITS'(from_tdata);
      beat_ends_frame <= back == OUT_COUNT'(OUT_BEATS - 1);
    end else if (word_gone) rest <= rest >> (8 * OUT_WORD);
    if (!aresetn) begin
      left <= '0;
      back <= '0;
    end else begin
      if (beat_came) left <= OUT_PLACES'(OUT_WORDS);
      else if (word_gone) left <= left - 1'b1;
      if (beat_came) back <= back == OUT_COUNT'(OUT_BEATS - 1) ? '0 : back + 1'b1;
    end
  end

  always_ff @(posedge aclk) begin
    if (!aresetn || (word_gone && m_axis_tlast)) begin
      closed <= 1'b0;
      complete <= 1'b0;
      open_frames <= '0;
    end else begin
      if (word_taken && s_axis_tlast) closed <= 1'b1;
      if (beat_taken && beat_ends_batch) complete <= 1'b1;
      open_frames <= open_frames + 16'(frame_taken) - 16'(frame_gone);
    end
  end
endmodule
