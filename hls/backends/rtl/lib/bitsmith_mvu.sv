// Head: matrix-vector unit with PE and SIMD folding.  A vector is GROUPS parts one after the other, each of SF beats
// of SIMD inputs, and gives NF beats of PE outputs per part; every part has weights of its own.
// Steps: for every part, for nf, for sf.  Beats are taken in the pass nf = 0 and kept for the others; the beat of
// outputs is issued at the last sf.  GROUPS * NF * SF cycles per vector.  LATENCY: see bitsmith_mac, with
// READ = 2 where beats are kept in a memory (NF > 1 and SF > 1) or ROM_REG is set, else 1.
module bitsmith_mvu #(
    parameter int GROUPS     = 1,
    parameter int NF         = 2,
    parameter int SF         = 4,
    parameter int PE         = 2,
    parameter int SIMD       = 4,
    parameter int WA         = 4,  // from here on as in bitsmith_mac
    parameter int A_SIGN     = 0,
    parameter int WW         = 4,
    parameter int W_SIGN     = 1,
    parameter int KIND       = 0,
    parameter int ALONE      = 0,
    parameter int WH         = 5,
    parameter int SHIFT      = 10,
    parameter int LEVELS     = 0,
    parameter int INDEX      = 0,
    parameter logic [(1<<INDEX)*WW-1:0] CODEBOOK = '0,
    parameter int N          = 1,
    parameter int M          = 1,
    parameter int ACC        = 12,
    parameter int HAS_BIAS   = 1,
    parameter int ROM_REG    = 0,
    parameter int BLOCK      = 0,
    parameter int BIAS_BLOCK = 0,
    parameter     WEIGHTS    = "",
    parameter     BIAS       = ""
) (
    input  logic               clk,
    input  logic               resetn,
    input  logic               s_valid,
    output logic               s_ready,
    input  logic [SIMD*WA-1:0] s_data,
    input  logic               room,
    output logic               issue,
    output logic               put,
    output logic [PE*ACC-1:0]  q
);
  localparam int READ = (NF > 1 && SF > 1) || ROM_REG == 1 ? 2 : 1;
  localparam int WF = SF > 1 ? $clog2(SF) : 1;
  localparam int WN = NF > 1 ? $clog2(NF) : 1;

  logic [WF-1:0] sf;
  logic [WN-1:0] nf;
  logic          step, taking, last;

  assign taking  = nf == '0;
  assign last    = sf == WF'(SF - 1);
  assign step    = (s_valid || !taking) && (room || !last);
  assign s_ready = taking && (room || !last);
  assign issue   = step && last;

  if (SF > 1) begin : g_sf
    always_ff @(posedge clk) begin
      if (!resetn) sf <= '0;
      else if (step) sf <= last ? '0 : sf + WF'(1);
    end
  end else begin : g_one_sf
    assign sf = '0;
  end
  if (NF > 1) begin : g_nf
    always_ff @(posedge clk) begin
      if (!resetn) nf <= '0;
      else if (issue) nf <= nf == WN'(NF - 1) ? '0 : nf + WN'(1);
    end
  end else begin : g_one_nf
    assign nf = '0;
  end

  // The beat of a step, READ cycles later
  logic [SIMD*WA-1:0] beat;

  if (NF > 1 && SF > 1) begin : g_kept
    (* no_rw_check *) logic [SIMD*WA-1:0] kept[SF];
    logic [SIMD*WA-1:0] fetched, passing;
    logic               fresh;
    always_ff @(posedge clk) begin
      if (taking) kept[sf] <= s_data;
      fetched <= kept[sf];
      passing <= s_data;
      fresh   <= taking;
      beat    <= fresh ? passing : fetched;
    end
  end else begin : g_register
    logic [SIMD*WA-1:0] held;
    always_ff @(posedge clk) if (taking) held <= s_data;
    if (READ == 2) begin : g_two
      always_ff @(posedge clk) beat <= held;
    end else begin : g_one
      assign beat = held;
    end
  end

  bitsmith_mac #(.DEPTH(GROUPS * NF * SF), .OUTS(GROUPS * NF), .PE(PE), .SIMD(SIMD), .WA(WA), .A_SIGN(A_SIGN), .WW(WW),
                 .W_SIGN(W_SIGN), .KIND(KIND), .ALONE(ALONE), .WH(WH), .SHIFT(SHIFT), .LEVELS(LEVELS), .INDEX(INDEX),
                 .CODEBOOK(CODEBOOK), .N(N), .M(M), .ACC(ACC), .ONE_STEP(SF == 1 ? 1 : 0), .HAS_BIAS(HAS_BIAS),
                 .READ(READ), .ROM_REG(ROM_REG), .BLOCK(BLOCK), .BIAS_BLOCK(BIAS_BLOCK), .WEIGHTS(WEIGHTS),
                 .BIAS(BIAS)) mac (
      .clk(clk), .resetn(resetn), .go(step), .first(sf == '0), .last(last), .beat(beat), .put(put), .q(q));
endmodule
