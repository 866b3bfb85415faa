// Head: index of the largest of FOLDS * LANES channels, of equals the first.  A tree of comparators with a register
// behind every level finds the largest of a beat, and the best so far is kept.  LATENCY $clog2(LANES) + 2.
module bitsmith_argmax #(
    parameter int LANES  = 4,
    parameter int FOLDS  = 1,
    parameter int WX     = 8,
    parameter int X_SIGN = 1,
    parameter int WY     = 2  // 2^WY >= FOLDS * LANES
) (
    input  logic                clk,
    input  logic                resetn,
    input  logic                s_valid,
    output logic                s_ready,
    input  logic [LANES*WX-1:0] s_data,
    input  logic                room,
    output logic                issue,
    output logic                put,
    output logic [WY-1:0]       q
);
  localparam int LEVELS = LANES > 1 ? $clog2(LANES) : 0;
  localparam int FULL   = 1 << LEVELS;
  localparam int W      = WX + LEVELS;  // a value, and below it the index of its lane

  logic last, step;
  assign s_ready = room || !last;
  assign step    = s_valid && s_ready;
  assign issue   = step && last;
  bitsmith_count #(.N(FOLDS)) count (.clk, .resetn, .step, .last);

  logic [LEVELS+1:0] steps;
  logic [LEVELS+2:0] issues;
  bitsmith_put_line #(.DEPTH(LEVELS + 1)) step_line (.clk, .resetn, .put(step), .line(steps));
  bitsmith_put_line #(.DEPTH(LEVELS + 2)) issue_line (.clk, .resetn, .put(issue), .line(issues));
  assign put = issues[LEVELS+2];

  // Row k: the winners of level k.  Numbers are compared as unsigned: the sign is turned around.
  logic [(LEVELS+1)*FULL*W-1:0] row;
  logic [(LEVELS+1)*FULL-1:0]   there;  // lanes beyond the last have none

  for (genvar i = 0; i < FULL; i++) begin : g_lane
    if (i < LANES) begin : g_real
      logic [WX-1:0] x;
      always_ff @(posedge clk) x <= s_data[i*WX+:WX] ^ (WX'(X_SIGN) << (WX - 1));
      if (LEVELS > 0) begin : g_indexed
        assign row[i*W+:W] = {x, LEVELS'(i)};
      end else begin : g_alone
        assign row[i*W+:W] = x;
      end
      assign there[i] = 1'b1;
    end else begin : g_none
      assign row[i*W+:W] = '0;
      assign there[i] = 1'b0;
    end
  end

  for (genvar k = 0; k < LEVELS; k++) begin : g_level
    for (genvar i = 0; i < FULL; i++) begin : g_pair
      if (i < (FULL >> (k + 1))) begin : g_half
        logic [W-1:0] a, b, best;
        assign a = row[(k*FULL+2*i)*W+:W];
        assign b = row[(k*FULL+2*i+1)*W+:W];
        always_ff @(posedge clk) best <= there[k*FULL+2*i+1] && b[W-1-:WX] > a[W-1-:WX] ? b : a;
        assign row[((k+1)*FULL+i)*W+:W] = best;
        assign there[(k+1)*FULL+i] = there[k*FULL+2*i];
      end else begin : g_rest
        assign row[((k+1)*FULL+i)*W+:W] = '0;
        assign there[(k+1)*FULL+i] = 1'b0;
      end
    end
  end

  logic [W-1:0]  winner, best;
  logic [WY-1:0] start, best_start;  // channel of lane 0
  logic          better;
  assign winner = row[LEVELS*FULL*W+:W];
  assign better = start == '0 || winner[W-1-:WX] > best[W-1-:WX];
  always_ff @(posedge clk) begin
    if (!resetn) start <= '0;
    else if (steps[LEVELS+1]) start <= start == WY'((FOLDS - 1) * LANES) ? '0 : start + WY'(LANES);
    if (steps[LEVELS+1] && better) begin
      best       <= winner;
      best_start <= start;
    end
  end

  if (LEVELS == 0) begin : g_start
    assign q = best_start;
  end else begin : g_both
    assign q = best_start + WY'(best[LEVELS-1:0]);
  end

  logic unused;
  assign unused = ^{row, there, steps, issues};
endmodule
