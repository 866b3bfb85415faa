// Head of a stage: sliding windows over an image that comes in row-major order, channels in FOLDS beats a place.
// Rows are kept in a circular buffer of BUF_ROWS rows.  For each window, and for each of OUTER channel groups:
// all taps in row-major order, and of each tap INNER beats (OUTER * INNER = FOLDS).  Places outside of the image
// give PAD, but no window comes before the first row of its image has.  UPH and UPW repeat rows and columns instead
// (windows of one tap).  1-D: COLS = 1, and places are rows.
// q comes 2 cycles after its step.
module bitsmith_window #(
    parameter int WIDTH = 8,  // of a beat
    parameter int ROWS = 4,
    parameter int COLS = 4,
    parameter int OUTER = 1,
    parameter int INNER = 1,
    parameter int KH = 3,
    parameter int KW = 3,
    parameter int SH = 1,
    parameter int SW = 1,
    parameter int DH = 1,
    parameter int DW = 1,
    parameter int PT = 0,  // rows of padding above
    parameter int PL = 0,  // columns of padding to the left
    parameter int OH = 2,  // windows down
    parameter int OW = 2,  // windows across
    parameter int UPH = 1,
    parameter int UPW = 1,
    parameter int BUF_ROWS = 4,  // at least (KH - 1) * DH + 1
    parameter logic [WIDTH-1:0] PAD = '0
) (
    input  logic             clk,
    input  logic             resetn,
    input  logic             s_valid,
    output logic             s_ready,
    input  logic [WIDTH-1:0] s_data,
    input  logic             room,
    output logic             issue,
    output logic             put,
    output logic [WIDTH-1:0] q
);
  localparam int ROW_WORDS = COLS * OUTER * INNER;
  localparam int WORDS = BUF_ROWS * ROW_WORDS;
  localparam int WA = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int EXTENT = (KH - 1) * DH + 1;
  localparam int REACH = OH * SH + OW * SW + ROWS + COLS + EXTENT + (KW - 1) * DW + PT + PL + BUF_ROWS + 2;
  localparam int WP = $clog2(REACH) + 2;  // a signed position, or a number of rows

  // As signed constants: tools do not agree on whether a cast keeps the sign.
  localparam logic signed [WP-1:0] ALL_ROWS = WP'(ROWS);
  localparam logic signed [WP-1:0] ALL_COLS = WP'(COLS);
  localparam logic signed [WP-1:0] KEPT_ROWS = WP'(BUF_ROWS);
  localparam logic signed [WP-1:0] REACHED = WP'(EXTENT);
  localparam logic signed [WP-1:0] NONE = '0;
  localparam logic signed [WP-1:0] FIRST_ROW = WP'(-PT);
  localparam logic signed [WP-1:0] FIRST_COL = WP'(-PL);
  localparam logic signed [WP-1:0] DOWN = WP'(SH);
  localparam logic signed [WP-1:0] RIGHT = WP'(SW);
  localparam logic signed [WP-1:0] TAP_ROW = WP'(DH);
  localparam logic signed [WP-1:0] TAP_COL = WP'(DW);

  // Steps of addresses, modulo the buffer.
  localparam int TAP_DOWN = (DH * ROW_WORDS) % WORDS;
  localparam int WINDOW_DOWN = (SH * ROW_WORDS) % WORDS;
  localparam int FRAME_DOWN = (ROWS * ROW_WORDS) % WORDS;
  localparam int FRAME_UP = (WORDS - (PT * ROW_WORDS) % WORDS) % WORDS;
  // Columns: modulo a power of two, for only addresses inside of the image count.
  localparam logic [WA-1:0] LEFT = WA'(-PL * OUTER * INNER);
  localparam logic [WA-1:0] WINDOW_RIGHT = WA'(SW * OUTER * INNER);
  localparam logic [WA-1:0] TAP_RIGHT = WA'(DW * OUTER * INNER);

  function automatic logic [WA-1:0] around(input logic [WA-1:0] from, input logic [WA-1:0] by);
    logic [WA:0] sum;
    sum = {1'b0, from} + {1'b0, by};
    around = WA'(sum >= (WA + 1)'(WORDS) ? sum - (WA + 1)'(WORDS) : sum);
  endfunction

  // Rows of the reader's frame that are complete (below zero: what the frame before still lacks), and how many
  // rows in the buffer are not yet freed.
  logic signed [WP-1:0] have, held, freed;
  logic row_done, frame_done, free_now;

  // Top row and left column of the window, row and column of the tap; _at: the same as addresses.
  logic signed [WP-1:0] top, left, y, x, next_top, next_left;
  logic [WA-1:0] frame_at, top_at, row_at, next_top_at, left_at, column_at, next_left_at;
  logic [WA-1:0] fold, outer_fold;

  // ---- writer
  localparam int WR = ROW_WORDS > 1 ? $clog2(ROW_WORDS) : 1;
  logic [WA-1:0] write;
  logic [WR-1:0] in_row;
  logic take;

  assign s_ready = held < KEPT_ROWS;
  assign take = s_valid && s_ready;
  assign row_done = take && in_row == WR'(ROW_WORDS - 1);

  always_ff @(posedge clk) begin
    if (!resetn) begin
      write  <= '0;
      in_row <= '0;
    end else if (take) begin
      write  <= around(write, WA'(1 % WORDS));
      in_row <= row_done ? '0 : in_row + WR'(1);
    end
  end

  // ---- reader: inner, tap column, tap row, outer, window column, window row
  logic last_inner, last_kx, last_ky, last_outer, last_ox, last_oy;
  logic end_kx, end_ky, end_outer, end_ox, end_oy, row_ready;

  assign row_ready = have >= ALL_ROWS || (have >= top + REACHED && have > NONE);
  assign issue = room && row_ready;
  assign end_kx = issue && last_inner;
  assign end_ky = end_kx && last_kx;
  assign end_outer = end_ky && last_ky;
  assign end_ox = end_outer && last_outer;
  assign end_oy = end_ox && last_ox;
  assign frame_done = end_oy && last_oy;

  bitsmith_count #(.N(INNER)) u_inner (.clk, .resetn, .step(issue), .last(last_inner));
  bitsmith_count #(.N(KW)) u_kx (.clk, .resetn, .step(end_kx), .last(last_kx));
  bitsmith_count #(.N(KH)) u_ky (.clk, .resetn, .step(end_ky), .last(last_ky));
  bitsmith_count #(.N(OUTER)) u_outer (.clk, .resetn, .step(end_outer), .last(last_outer));
  bitsmith_count #(.N(OW)) u_ox (.clk, .resetn, .step(end_ox), .last(last_ox));
  bitsmith_count #(.N(OH)) u_oy (.clk, .resetn, .step(end_oy), .last(last_oy));

  // Position of the window and of the tap; with repetition the window moves every UPH (UPW) steps.
  logic move_down, move_right;
  bitsmith_count #(.N(UPH)) u_up_rows (.clk, .resetn, .step(end_oy), .last(move_down));
  bitsmith_count #(.N(UPW)) u_up_cols (.clk, .resetn, .step(end_ox), .last(move_right));

  assign next_top    = last_oy ? FIRST_ROW : move_down ? top + DOWN : top;
  assign next_top_at = last_oy ? around(around(frame_at, WA'(FRAME_DOWN)), WA'(FRAME_UP))
                     : move_down ? around(top_at, WA'(WINDOW_DOWN)) : top_at;
  assign next_left   = last_ox ? FIRST_COL : move_right ? left + RIGHT : left;
  assign next_left_at = last_ox ? LEFT : move_right ? left_at + WINDOW_RIGHT : left_at;

  always_ff @(posedge clk) begin
    if (!resetn) begin
      top <= FIRST_ROW;
      left <= FIRST_COL;
      y <= FIRST_ROW;
      x <= FIRST_COL;
      left_at <= LEFT;
      column_at <= LEFT;
      frame_at <= '0;
      top_at <= WA'(FRAME_UP);
      row_at <= WA'(FRAME_UP);
      fold <= '0;
      outer_fold <= '0;
    end else if (issue) begin
      fold <= !last_inner ? fold + WA'(1) : !(last_kx && last_ky) ? outer_fold
            : last_outer ? '0 : outer_fold + WA'(INNER);
      if (end_outer) outer_fold <= last_outer ? '0 : outer_fold + WA'(INNER);
      if (end_kx) begin
        x <= !last_kx ? x + TAP_COL : !(last_ky && last_outer) ? left : next_left;
        column_at <= !last_kx ? column_at + TAP_RIGHT : !(last_ky && last_outer) ? left_at : next_left_at;
      end
      if (end_ky) begin
        y <= !last_ky ? y + TAP_ROW : !(last_outer && last_ox) ? top : next_top;
        row_at <= !last_ky ? around(row_at, WA'(TAP_DOWN)) : !(last_outer && last_ox) ? top_at : next_top_at;
      end
      if (end_ox) begin
        left <= next_left;
        left_at <= next_left_at;
      end
      if (end_oy) begin
        top <= next_top;
        top_at <= next_top_at;
        if (last_oy) frame_at <= around(frame_at, WA'(FRAME_DOWN));
      end
    end
  end

  // Rows freed at the end of a row of windows; the buffer hears of it a cycle later, when the last one has been read.
  logic signed [WP-1:0] kept, kept_next, more;
  assign more = move_down ? top + DOWN : top;
  assign kept_next = last_oy || more > ALL_ROWS ? ALL_ROWS : more[WP-1] ? NONE : more;

  always_ff @(posedge clk) begin
    if (!resetn) begin
      have <= '0;
      held <= '0;
      kept <= '0;
      free_now <= 1'b0;
    end else begin
      have <= have + $signed(WP'(row_done)) - (frame_done ? ALL_ROWS : NONE);
      held <= held + $signed(WP'(row_done)) - (free_now ? freed : NONE);
      free_now <= end_oy;
      if (end_oy) kept <= last_oy ? NONE : kept_next;
    end
    freed <= kept_next - kept;
  end

  // ---- address, memory, padding
  logic outside, outside_read;
  logic [WA-1:0] at;
  logic [1:0] on_its_way;
  logic [WIDTH-1:0] word;
  (* no_rw_check *) logic [WIDTH-1:0] rows[WORDS];

  always_ff @(posedge clk) begin
    if (take) rows[write] <= s_data;
    at <= row_at + column_at + fold;
    outside <= y[WP-1] || y >= ALL_ROWS || x[WP-1] || x >= ALL_COLS;
    word <= rows[at];
    outside_read <= outside;
    on_its_way <= {on_its_way[0] && resetn, issue && resetn};
  end

  assign put = on_its_way[1];
  assign q   = outside_read ? PAD : word;
endmodule
