// Pipe: how many of its thresholds x reaches, by binary search, one bit of the answer after the other: one comparator
// and one memory per lane.  Its words are a tree: at 1 the middle threshold, at 2n and 2n + 1 what is asked after no and
// yes.  Takes a beat every WY * READ cycles at most.  LATENCY WY * READ + 1.
module bitsmith_search_serial #(
    parameter int LANES  = 1,
    parameter int FOLDS  = 1,
    parameter int EACH   = 0,   // 1: words hold a threshold for every lane, 0: one for all
    parameter int WX     = 8,
    parameter int X_SIGN = 1,
    parameter int WU     = 8,   // thresholds are signed and one lower, so that x > u says that it is reached
    parameter int WY     = 4,   // at least 2
    parameter int READ   = 1,   // cycles for the memory: 2 where logic is slow
    parameter int BLOCK  = 0,
    parameter     FILE   = ""   // FOLDS * 2^WY words
) (
    input  logic                clk,
    input  logic                resetn,
    input  logic                put,
    input  logic [LANES*WX-1:0] d,
    output logic                q_put,
    output logic [LANES*WY-1:0] q
);
  localparam int WF    = FOLDS > 1 ? $clog2(FOLDS) : 0;
  localparam int WORDS = EACH == 1 ? LANES : 1;

  localparam int LATENCY = WY * READ + 1;

  logic [LATENCY:0] line;
  bitsmith_put_line #(.DEPTH(LATENCY)) puts (.clk, .resetn, .put, .line);
  assign q_put = line[LATENCY];

  logic asked;  // the word is there
  if (READ == 2) begin : g_every_second
    logic waits;
    always_ff @(posedge clk) waits <= put || !waits;
    assign asked = !waits;
  end else begin : g_always
    assign asked = 1'b1;
  end

  logic [WF:0] fold, held;  // of the next beat, and of the one at work; a zero above
  if (FOLDS > 1) begin : g_folds
    always_ff @(posedge clk) begin
      if (!resetn) fold <= '0;
      else if (put) fold <= fold == (WF + 1)'(FOLDS - 1) ? '0 : fold + (WF + 1)'(1);
      if (put) held <= fold;
    end
  end else begin : g_one
    assign fold = '0;
    assign held = '0;
  end

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic signed [WX+WU:0]     wide;
    logic signed [WU-1:0]      x, u;
    logic        [WY-1:0]      node, next;
    logic        [WORDS*WU-1:0] word;
    logic        [WF+WY:0]     address;

    assign wide    = {{(WU + 1) {X_SIGN == 1 && d[i*WX+WX-1]}}, d[i*WX+:WX]};
    assign next    = {node[WY-2:0], x > u};
    assign address = put ? {fold, WY'(1)} : {held, next};
    bitsmith_lookup #(.WIDTH(WORDS * WU), .DEPTH(FOLDS << WY), .READ(READ), .BLOCK(BLOCK), .FILE(FILE)) rom (
        .clk, .address(address[WF+WY-1:0]), .q(word));
    assign u = word[(EACH==1?i:0)*WU+:WU];

    always_ff @(posedge clk) begin
      if (put) node <= WY'(1);
      else if (asked) node <= next;
      if (put) x <= wide[WU-1:0];
      q[i*WY+:WY] <= next;
    end

    logic unused;
    assign unused = ^{wide, word, address, node};
  end

  logic unused;
  assign unused = ^line;
endmodule
