// End of a stage: a FIFO, and the credits for its places.  A beat takes its credit when it is started
// (issue) and comes LATENCY cycles later (put), so it always finds a place, and nothing between start and
// end ever has to stall.  A beat put into the empty FIFO is offered in the next cycle.
module bitsmith_outlet #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 4  // beats; places for those on their way are part of it
) (
    input  logic             clk,
    input  logic             resetn,
    output logic             room,     // a credit is left; a register
    input  logic             issue,    // takes one; only where there is room
    input  logic             put,
    input  logic [WIDTH-1:0] d,
    output logic             m_valid,
    input  logic             m_ready,
    output logic [WIDTH-1:0] m_data
);
  localparam int WC = $clog2(DEPTH + 1);
  localparam int WA = DEPTH > 1 ? $clog2(DEPTH) : 1;

  logic [WC-1:0] free, free_next, count, count_next;
  logic [WA-1:0] read, read_next, write;
  logic          pop;

  assign pop        = m_valid && m_ready;
  assign free_next  = free - WC'(issue) + WC'(pop);
  assign count_next = count - WC'(pop) + WC'(put);
  assign read_next  = !pop ? read : read == WA'(DEPTH - 1) ? '0 : read + WA'(1);

  always_ff @(posedge clk) begin
    if (!resetn) begin
      free    <= WC'(DEPTH);
      room    <= 1'b0;
      count   <= '0;
      m_valid <= 1'b0;
      read    <= '0;
      write   <= '0;
    end else begin
      free    <= free_next;
      room    <= free_next != '0;
      count   <= count_next;
      m_valid <= count_next != '0;
      read    <= read_next;
      if (put) write <= write == WA'(DEPTH - 1) ? '0 : write + WA'(1);
    end
  end

  if (DEPTH == 1) begin : g_one
    always_ff @(posedge clk) if (put) m_data <= d;
  end else begin : g_many
    // The place to be read next is always fetched one cycle ahead; a beat written in that very cycle goes around.
    (* no_rw_check *) logic [WIDTH-1:0] places[DEPTH];
    logic [WIDTH-1:0] fetched, around;
    logic             goes_around;

    always_ff @(posedge clk) begin
      if (put) places[write] <= d;
      fetched     <= places[read_next];
      around      <= d;
      goes_around <= put && write == read_next;
    end
    assign m_data = goes_around ? around : fetched;
  end
endmodule
