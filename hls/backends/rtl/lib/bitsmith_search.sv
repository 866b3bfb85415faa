// Pipe: how many of its thresholds x reaches, by binary search: one comparator and one memory per bit of the answer.
// The memory of bit k holds, for each fold, the 2^k thresholds that the upper k bits leave to be asked.
// LATENCY (WY - 1) * READ + 1.
module bitsmith_search #(
    parameter int LANES  = 1,
    parameter int FOLDS  = 1,
    parameter int EACH   = 0,   // 1: words hold a threshold for every lane, 0: one for all
    parameter int WX     = 8,
    parameter int X_SIGN = 1,
    parameter int WU     = 8,   // thresholds are signed and one lower, so that x > u says that it is reached
    parameter int WY     = 4,   // 2 to 16
    parameter int READ   = 1,   // cycles for a memory: 2 where logic is slow
    parameter int BLOCK_FROM = 16,  // from this bit on the memories are block RAM
    parameter logic [(EACH==1?LANES:1)*WU-1:0] WORD = 0,  // of bit 0, where FOLDS is 1
    parameter FILE_0 = "", parameter FILE_1 = "", parameter FILE_2 = "", parameter FILE_3 = "",
    parameter FILE_4 = "", parameter FILE_5 = "", parameter FILE_6 = "", parameter FILE_7 = "",
    parameter FILE_8 = "", parameter FILE_9 = "", parameter FILE_10 = "", parameter FILE_11 = "",
    parameter FILE_12 = "", parameter FILE_13 = "", parameter FILE_14 = "", parameter FILE_15 = ""
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

  localparam int LAST  = (WY - 1) * READ;  // cycle of the last comparison

  logic [LAST+1:0] line;
  bitsmith_put_line #(.DEPTH(LAST + 1)) puts (.clk, .resetn, .put, .line);
  assign q_put = line[LAST+1];

  logic [WORDS*WU-1:0] first;
  bitsmith_fold_words #(.FOLDS(FOLDS), .WIDTH(WORDS * WU), .BLOCK(BLOCK_FROM == 0 ? 1 : 0), .WORD(WORD), .FILE(FILE_0))
      words (.clk, .resetn, .step(put), .q(first));

  logic [(LAST+1)*(WF+1)-1:0] folds;  // of the beat in each cycle, a zero above it
  if (FOLDS > 1) begin : g_folds
    logic [WF-1:0] fold;
    always_ff @(posedge clk) begin
      if (!resetn) fold <= '0;
      else if (put) fold <= fold == WF'(FOLDS - 1) ? '0 : fold + WF'(1);
    end
    assign folds[WF:0] = {1'b0, fold};
    always_ff @(posedge clk) folds[(LAST+1)*(WF+1)-1:WF+1] <= folds[LAST*(WF+1)-1:0];
  end else begin : g_one
    assign folds = '0;
  end

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic signed [WX+WU:0] wide;
    assign wide = {{(WU + 1) {X_SIGN == 1 && d[i*WX+WX-1]}}, d[i*WX+:WX]};

    // Row k: x, and the upper bits of the answer that are known once bit k is, the last of them lowest.
    logic [WY*WU-1:0] xs;
    logic [WY*WY-1:0] known;

    for (genvar k = 0; k < WY; k++) begin : g_bit
      logic signed [WU-1:0] x, u;
      assign xs[k*WU+:WU] = x;

      if (k == 0) begin : g_first
        assign x = wide[WU-1:0];
        assign u = first[(EACH==1?i:0)*WU+:WU];
        assign known[WY-1:0] = WY'(x > u);
      end else begin : g_later
        localparam int DEPTH = FOLDS << k;
        localparam int W     = WORDS * WU;
        localparam int B     = k >= BLOCK_FROM ? 1 : 0;
        logic [k-1:0]        upper;
        logic [W-1:0]        word;
        logic [WF+k:0]       address;
        logic [WF+k-1:0]     at;
        assign address = {folds[(k-1)*READ*(WF+1)+:WF+1], known[(k-1)*WY+:k]};
        assign at = address[WF+k-1:0];
        case (k)
          1: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_1) rom (clk, at, word); end
          2: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_2) rom (clk, at, word); end
          3: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_3) rom (clk, at, word); end
          4: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_4) rom (clk, at, word); end
          5: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_5) rom (clk, at, word); end
          6: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_6) rom (clk, at, word); end
          7: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_7) rom (clk, at, word); end
          8: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_8) rom (clk, at, word); end
          9: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_9) rom (clk, at, word); end
          10: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_10) rom (clk, at, word); end
          11: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_11) rom (clk, at, word); end
          12: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_12) rom (clk, at, word); end
          13: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_13) rom (clk, at, word); end
          14: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_14) rom (clk, at, word); end
          default: begin : g_rom bitsmith_lookup #(W, DEPTH, READ, B, FILE_15) rom (clk, at, word); end
        endcase
        logic [WU+k-1:0] now, soon;
        always_ff @(posedge clk) soon <= {xs[(k-1)*WU+:WU], known[(k-1)*WY+:k]};
        if (READ == 2) begin : g_late
          always_ff @(posedge clk) now <= soon;
        end else begin : g_now
          assign now = soon;
        end
        assign {x, upper} = now;
        assign u = word[(EACH==1?i:0)*WU+:WU];
        assign known[k*WY+:WY] = WY'({upper, x > u});
        logic unused;
        assign unused = ^{word, address};
      end
    end

    always_ff @(posedge clk) q[i*WY+:WY] <= known[(WY-1)*WY+:WY];
    logic unused;
    assign unused = ^{wide, xs, known};
  end

  logic unused;
  assign unused = ^{line, folds};
endmodule
