// Head: the elements of a vector in another order (any gathering: left out or repeated ones too).  A vector is IN_BEATS
// beats of IN_LANES elements and becomes OUT_BEATS of OUT_LANES.  Two vectors are kept, one is read while the other
// comes in, so it runs at full rate.  Every output lane has a copy of the memory; where each element stands (beat,
// and lane below it) comes from the ROM.  q comes 2 cycles after its step, 3 where IN_LANES > 1.
module bitsmith_reorder #(
    parameter int BITS      = 8,
    parameter int IN_LANES  = 1,
    parameter int IN_BEATS  = 8,
    parameter int OUT_LANES = 1,
    parameter int OUT_BEATS = 8,
    parameter int BLOCK     = 0,   // order in block RAM
    parameter     ORDER     = ""
) (
    input  logic                      clk,
    input  logic                      resetn,
    input  logic                      s_valid,
    output logic                      s_ready,
    input  logic [IN_LANES*BITS-1:0]  s_data,
    input  logic                      room,
    output logic                      issue,
    output logic                      put,
    output logic [OUT_LANES*BITS-1:0] q
);
  localparam int WB = IN_BEATS > 1 ? $clog2(IN_BEATS) : 1;
  localparam int WL = $clog2(IN_LANES);
  localparam int WO = OUT_BEATS > 1 ? $clog2(OUT_BEATS) : 1;
  localparam int CODE = WB + WL;

  // Writer
  logic [WB-1:0] write;
  logic [1:0]    held;  // vectors complete and not yet read
  logic          write_half, take, whole, freed;

  assign s_ready = !held[1];
  assign take    = s_valid && s_ready;
  assign whole   = take && write == WB'(IN_BEATS - 1);

  always_ff @(posedge clk) begin
    if (!resetn) begin
      write      <= '0;
      write_half <= 1'b0;
      held       <= '0;
    end else begin
      if (take) write <= whole ? '0 : write + WB'(1);
      if (whole) write_half <= !write_half;
      held <= held + 2'(whole) - 2'(freed);
    end
  end

  // Reader: a vector counts as read one cycle after its last step, when its last address has left the ROM
  logic [WO-1:0] read;
  logic          read_half, late_half, last, reading;
  logic [1:0]    left;  // vectors complete and not yet begun to the end: held without those just read

  assign issue = room && left != '0;
  assign last  = read == WO'(OUT_BEATS - 1);

  always_ff @(posedge clk) begin
    if (!resetn) begin
      read      <= '0;
      read_half <= 1'b0;
      left      <= '0;
      freed     <= 1'b0;
      reading   <= 1'b0;
    end else begin
      if (issue) read <= last ? '0 : read + WO'(1);
      if (issue && last) read_half <= !read_half;
      left    <= left + 2'(whole) - 2'(issue && last);
      freed   <= issue && last;
      reading <= issue;
    end
    late_half <= read_half;
  end

  logic [OUT_LANES*CODE-1:0] codes;
  bitsmith_rom #(.WIDTH(OUT_LANES * CODE), .DEPTH(OUT_BEATS), .BLOCK(BLOCK), .FILE(ORDER)) rom (
      .clk(clk), .address(read), .q(codes));

  logic fetched_put;
  always_ff @(posedge clk) fetched_put <= resetn && reading;

  for (genvar k = 0; k < OUT_LANES; k++) begin : g_lane
    (* no_rw_check *) logic [IN_LANES*BITS-1:0] places[2 << WB];
    logic [IN_LANES*BITS-1:0] fetched;

    always_ff @(posedge clk) begin
      if (take) places[{write_half, write}] <= s_data;
      fetched <= places[{late_half, codes[k*CODE+WL+:WB]}];
    end

    if (IN_LANES > 1) begin : g_pick
      logic [WL-1:0] lane;
      always_ff @(posedge clk) begin
        lane <= codes[k*CODE+:WL];
        q[k*BITS+:BITS] <= fetched[lane*BITS+:BITS];
      end
    end else begin : g_whole
      assign q[k*BITS+:BITS] = fetched;
    end
  end

  if (IN_LANES > 1) begin : g_late_put
    always_ff @(posedge clk) put <= resetn && fetched_put;
  end else begin : g_put
    assign put = fetched_put;
  end
endmodule
