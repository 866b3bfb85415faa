// Head: depthwise convolution, LANES channels side by side.  The beats come for every position, for every fold of
// channels, for every tap; each is one step, and the last tap issues.  Weights are FOLDS * TAPS words.
// LATENCY: see bitsmith_mac, with READ = 1 + ROM_REG.
module bitsmith_vvu #(
    parameter int FOLDS      = 2,
    parameter int TAPS       = 9,
    parameter int LANES      = 4,
    parameter int WA         = 4,  // from here on as in bitsmith_mac
    parameter int A_SIGN     = 0,
    parameter int WW         = 4,
    parameter int W_SIGN     = 1,
    parameter int KIND       = 0,
    parameter int ALONE      = 0,
    parameter int INDEX      = 0,
    parameter logic [(1<<INDEX)*WW-1:0] CODEBOOK = '0,
    parameter int ACC        = 12,
    parameter int HAS_BIAS   = 1,
    parameter int ROM_REG    = 0,
    parameter int BLOCK      = 0,
    parameter int BIAS_BLOCK = 0,
    parameter     WEIGHTS    = "",
    parameter     BIAS       = ""
) (
    input  logic                clk,
    input  logic                resetn,
    input  logic                s_valid,
    output logic                s_ready,
    input  logic [LANES*WA-1:0] s_data,
    input  logic                room,
    output logic                issue,
    output logic                put,
    output logic [LANES*ACC-1:0] q
);
  localparam int WT = TAPS > 1 ? $clog2(TAPS) : 1;

  logic [WT-1:0]       tap;
  logic                last, step;
  logic [LANES*WA-1:0] held, beat;

  assign last    = tap == WT'(TAPS - 1);
  assign s_ready = room || !last;
  assign step    = s_valid && s_ready;
  assign issue   = step && last;

  if (TAPS > 1) begin : g_taps
    always_ff @(posedge clk) begin
      if (!resetn) tap <= '0;
      else if (step) tap <= last ? '0 : tap + WT'(1);
    end
  end else begin : g_one_tap
    assign tap = '0;
  end

  always_ff @(posedge clk) held <= s_data;
  if (ROM_REG == 1) begin : g_two
    always_ff @(posedge clk) beat <= held;
  end else begin : g_one
    assign beat = held;
  end

  bitsmith_mac #(.DEPTH(FOLDS * TAPS), .OUTS(FOLDS), .PE(LANES), .SIMD(1), .LANEWISE(1), .WA(WA), .A_SIGN(A_SIGN),
                 .WW(WW), .W_SIGN(W_SIGN), .KIND(KIND), .ALONE(ALONE), .INDEX(INDEX), .CODEBOOK(CODEBOOK), .ACC(ACC),
                 .ONE_STEP(TAPS == 1 ? 1 : 0), .HAS_BIAS(HAS_BIAS), .READ(1 + ROM_REG), .ROM_REG(ROM_REG),
                 .BLOCK(BLOCK), .BIAS_BLOCK(BIAS_BLOCK), .WEIGHTS(WEIGHTS), .BIAS(BIAS)) mac (
      .clk(clk), .resetn(resetn), .go(step), .first(tap == '0), .last(last), .beat(beat), .put(put), .q(q));
endmodule
