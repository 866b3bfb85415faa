// Pipe: how many of its thresholds x reaches, by a comparator for each; they ascend.  LATENCY 2.
module bitsmith_levels #(
    parameter int LANES  = 1,
    parameter int FOLDS  = 1,
    parameter int EACH   = 0,   // 1: every lane has its own thresholds, 0: one row for all
    parameter int WX     = 8,
    parameter int X_SIGN = 1,
    parameter int LEVELS = 3,
    parameter int WU     = 8,   // thresholds are signed and one lower, so that x > u says that it is reached
    parameter int WY     = 2,   // 2^WY > LEVELS
    parameter int BLOCK  = 0,
    parameter logic [(EACH==1?LANES:1)*LEVELS*WU-1:0] WORD = 0,  // the lowest threshold of lane 0 lowest
    parameter     FILE   = ""
) (
    input  logic                clk,
    input  logic                resetn,
    input  logic                put,
    input  logic [LANES*WX-1:0] d,
    output logic                q_put,
    output logic [LANES*WY-1:0] q
);
  localparam int ROWS = EACH == 1 ? LANES : 1;
  localparam int FULL = 1 << WY;

  logic [2:0]                line;
  logic [ROWS*LEVELS*WU-1:0] word;
  bitsmith_put_line #(.DEPTH(2)) puts (.clk, .resetn, .put, .line);
  assign q_put = line[2];
  bitsmith_fold_words #(.FOLDS(FOLDS), .WIDTH(ROWS * LEVELS * WU), .BLOCK(BLOCK), .WORD(WORD), .FILE(FILE))
      words (.clk, .resetn, .step(put), .q(word));

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic signed [WX+WU:0]     wide;
    logic signed [WU-1:0]      x;
    logic        [LEVELS-1:0]  reached;  // a thermometer
    logic        [WY-1:0]      y;
    logic        [(WY+1)*FULL-1:0] tree;  // row k: the part of the thermometer that the upper k bits of y left open

    assign wide = {{(WU + 1) {X_SIGN == 1 && d[i*WX+WX-1]}}, d[i*WX+:WX]};
    assign x    = wide[WU-1:0];
    for (genvar k = 0; k < LEVELS; k++) begin : g_compare
      logic signed [WU-1:0] u;
      assign u = word[((EACH==1?i:0)*LEVELS+k)*WU+:WU];
      always_ff @(posedge clk) reached[k] <= x > u;
    end

    assign tree[FULL-1:0] = FULL'(reached);
    for (genvar k = 0; k < WY; k++) begin : g_bit
      localparam int HALF = FULL >> (k + 1);
      assign y[WY-1-k] = tree[k*FULL+HALF-1];
      assign tree[(k+1)*FULL+:HALF] = y[WY-1-k] ? tree[k*FULL+HALF+:HALF] : tree[k*FULL+:HALF];
      assign tree[(k+1)*FULL+HALF+:FULL-HALF] = '0;
    end
    always_ff @(posedge clk) q[i*WY+:WY] <= y;

    logic unused;
    assign unused = ^{wide, tree};
  end

  logic unused;
  assign unused = ^line[1:0];
endmodule
