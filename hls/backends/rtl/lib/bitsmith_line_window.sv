// Head of a stage: sliding windows over an image, one window a beat.  A beat of the input is a place of the image with
// all its channels, in row-major order; a beat of the output holds all KH * KW taps of a window in row-major order,
// the first in the lowest bits.  The head walks the image and its padding place by place, LINE places a row (what
// is right of a row is also left of the next one); a place of the image takes a beat, one of the padding is PAD.  A
// frame starts when its first beat is on offer.  A window goes out with its last corner, 2 cycles after the step.
// PT < EH and PL < EW, so that this corner is never in the padding before the image.  1-D: one row.
module bitsmith_line_window #(
    parameter int WIDTH = 8,  // of a place
    parameter int ROWS = 4,
    parameter int COLS = 4,
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
    parameter logic [WIDTH-1:0] PAD = '0
) (
    input  logic                   clk,
    input  logic                   resetn,
    input  logic                   s_valid,
    output logic                   s_ready,
    input  logic [      WIDTH-1:0] s_data,
    input  logic                   room,
    output logic                   issue,
    output logic                   put,
    output logic [KH*KW*WIDTH-1:0] q
);
  localparam int EH = (KH - 1) * DH + 1;  // rows and columns that a window reaches over
  localparam int EW = (KW - 1) * DW + 1;
  localparam int FIRST_COL = EW - 1 - PL;  // of the last corners of windows
  localparam int LAST_COL = FIRST_COL + (OW - 1) * SW;
  localparam int RIGHT = LAST_COL >= COLS ? LAST_COL + 1 : COLS;
  localparam int LINE = RIGHT > COLS + PL ? RIGHT : COLS + PL;

  // Rows are counted from the first that is walked, of which only the padding left of the next row is.
  localparam int TOP = PT + (PL > 0 ? 1 : 0);  // first row of the image
  localparam int START_COL = PL > 0 ? LINE - PL : 0;
  localparam int FIRST_ROW = TOP + EH - 1 - PT;
  localparam int LAST_ROW = FIRST_ROW + (OH - 1) * SH;
  localparam int BOTTOM = TOP + ROWS - 1;
  localparam int END_ROW = LAST_ROW > BOTTOM ? LAST_ROW : BOTTOM;
  localparam int END_COL = LAST_ROW > BOTTOM || (LAST_ROW == BOTTOM && LAST_COL >= COLS) ? LAST_COL : COLS - 1;
  localparam int WR = $clog2(END_ROW + 2);
  localparam int WC = $clog2(LINE + 1);

  // ---- the walk
  logic [WR-1:0] row, corner_row;
  logic [WC-1:0] col, corner_col;
  logic          step, below_top, in_image, corner, started, last;

  if (TOP == 0) begin : g_no_top
    assign below_top = 1'b1;
  end else begin : g_top
    assign below_top = row >= WR'(TOP);
  end
  assign in_image  = below_top && row <= WR'(BOTTOM) && col < WC'(COLS);
  assign corner  = row == corner_row && col == corner_col;
  assign last    = row == WR'(END_ROW) && col == WC'(END_COL);
  assign s_ready = in_image && (room || !corner);
  assign step    = (s_valid || (started && !in_image)) && (room || !corner);
  assign issue   = step && corner;

  always_ff @(posedge clk) begin
    if (!resetn) begin
      row <= '0;
      col <= WC'(START_COL);
      corner_row <= WR'(FIRST_ROW);
      corner_col <= WC'(FIRST_COL);
      started <= 1'b0;
    end else if (step) begin
      started <= !last;
      if (last) begin
        row <= '0;
        col <= WC'(START_COL);
      end else begin
        if (col == WC'(LINE - 1)) row <= row + WR'(1);
        col <= col == WC'(LINE - 1) ? '0 : col + WC'(1);
      end
      if (corner) begin
        corner_col <= corner_col == WC'(LAST_COL) ? WC'(FIRST_COL) : corner_col + WC'(SW);
        if (corner_col == WC'(LAST_COL))
          corner_row <= corner_row == WR'(LAST_ROW) ? WR'(FIRST_ROW) : corner_row + WR'(SH);
      end
    end
  end

  // ---- a cycle later: the place, and those above it from the lines, move into the window
  logic             came, outside;
  logic [      1:0] on_its_way;
  logic [WIDTH-1:0] taken;
  logic [KH*WIDTH-1:0] column;  // the tap rows at the place, the uppermost in the lowest bits

  always_ff @(posedge clk) begin
    came       <= step;
    outside    <= !in_image;
    taken      <= s_data;
    on_its_way <= {on_its_way[0] && resetn, issue && resetn};
  end
  assign column[KH*WIDTH-1-:WIDTH] = outside ? PAD : taken;

  if (KH > 1) begin : g_lines
    localparam int DEPTH = DH * LINE;  // at least 2: an image of single columns is turned into one row
    localparam int WL = $clog2(DEPTH);
    (* no_rw_check *) logic [(KH-1)*WIDTH-1:0] lines[DEPTH];
    logic [(KH-1)*WIDTH-1:0] fetched;
    logic [WL-1:0] at, write;
    always_ff @(posedge clk) begin
      if (!resetn) at <= '0;
      else if (step) at <= at == WL'(DEPTH - 1) ? '0 : at + WL'(1);
      write   <= at;
      fetched <= lines[at];
      if (came) lines[write] <= column[KH*WIDTH-1:WIDTH];
    end
    assign column[(KH-1)*WIDTH-1:0] = fetched;
  end

  // ---- the window: each tap row as a shift register
  for (genvar y = 0; y < KH; y++) begin : g_rows
    logic [EW*WIDTH-1:0] places;  // the newest in the highest bits
    if (EW > 1) begin : g_many
      always_ff @(posedge clk) if (came) places <= {column[y*WIDTH+:WIDTH], places[EW*WIDTH-1:WIDTH]};
    end else begin : g_one
      always_ff @(posedge clk) if (came) places <= column[y*WIDTH+:WIDTH];
    end
    for (genvar x = 0; x < KW; x++) begin : g_taps
      assign q[(y*KW+x)*WIDTH+:WIDTH] = places[x*DW*WIDTH+:WIDTH];
    end
  end
  assign put = on_its_way[1];
endmodule
