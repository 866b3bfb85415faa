// Pipe: y = base + step * (how many of its thresholds x reaches), per tensor or per channel.
// KIND 0: comparators; 1: binary search, pipelined; 2: binary search, a bit per cycle (a beat every WC * READ cycles).
// Then STEP says how y comes from the count: -1: it is the count; else KIND of the product in bitsmith_requant,
// 1 (steps of 1 and -1) or 0 (any), or 2: all steps are 1 and only base is added.
// LATENCY: 2, (WC - 1) * READ + 1 or WC * READ + 1 for the three kinds; what bitsmith_requant takes more unless STEP
// is -1.
module bitsmith_thresholds #(
    parameter int LANES  = 1,
    parameter int FOLDS  = 1,   // of thresholds
    parameter int EACH   = 0,   // 1: every lane has its own thresholds, 0: one row for all
    parameter int WX     = 8,
    parameter int X_SIGN = 1,
    parameter int KIND   = 0,
    parameter int LEVELS = 3,   // of comparators
    parameter int WU     = 8,
    parameter int WC     = 2,   // of the count
    parameter int READ   = 1,   // cycles for a memory of the search
    parameter int BLOCK_FROM = 16,
    parameter int WW     = 1,   // of WORD
    parameter logic [WW-1:0] WORD = 0,
    parameter FILE_0 = "", parameter FILE_1 = "", parameter FILE_2 = "", parameter FILE_3 = "",
    parameter FILE_4 = "", parameter FILE_5 = "", parameter FILE_6 = "", parameter FILE_7 = "",
    parameter FILE_8 = "", parameter FILE_9 = "", parameter FILE_10 = "", parameter FILE_11 = "",
    parameter FILE_12 = "", parameter FILE_13 = "", parameter FILE_14 = "", parameter FILE_15 = "",
    parameter int STEP    = -1,
    parameter int WM      = 1,
    parameter int M_SIGN  = 1,
    parameter int M_FOLDS = 1,
    parameter logic [LANES*WM-1:0] MULT = 0,
    parameter     MULT_FILE = "",
    parameter int Z       = 0,
    parameter int HAS_ADD = 0,
    parameter int WA      = 1,
    parameter int A_FOLDS = 1,
    parameter logic [LANES*WA-1:0] ADD = 0,
    parameter     ADD_FILE = "",
    parameter int WY      = 2
) (
    input  logic                clk,
    input  logic                resetn,
    input  logic                put,
    input  logic [LANES*WX-1:0] d,
    output logic                q_put,
    output logic [LANES*WY-1:0] q
);
  logic                count_put;
  logic [LANES*WC-1:0] count;

  if (KIND == 0) begin : g_levels
    bitsmith_levels #(.LANES(LANES), .FOLDS(FOLDS), .EACH(EACH), .WX(WX), .X_SIGN(X_SIGN), .LEVELS(LEVELS), .WU(WU),
        .WY(WC), .BLOCK(BLOCK_FROM == 0 ? 1 : 0), .WORD(WORD), .FILE(FILE_0)) levels (
        .clk, .resetn, .put, .d, .q_put(count_put), .q(count));
  end else if (KIND == 1) begin : g_search
    bitsmith_search #(.LANES(LANES), .FOLDS(FOLDS), .EACH(EACH), .WX(WX), .X_SIGN(X_SIGN), .WU(WU), .WY(WC),
        .READ(READ), .BLOCK_FROM(BLOCK_FROM), .WORD(WORD), .FILE_0(FILE_0), .FILE_1(FILE_1), .FILE_2(FILE_2), .FILE_3(FILE_3),
        .FILE_4(FILE_4), .FILE_5(FILE_5), .FILE_6(FILE_6), .FILE_7(FILE_7), .FILE_8(FILE_8), .FILE_9(FILE_9),
        .FILE_10(FILE_10), .FILE_11(FILE_11), .FILE_12(FILE_12), .FILE_13(FILE_13), .FILE_14(FILE_14),
        .FILE_15(FILE_15)) search (
        .clk, .resetn, .put, .d, .q_put(count_put), .q(count));
  end else begin : g_serial
    bitsmith_search_serial #(.LANES(LANES), .FOLDS(FOLDS), .EACH(EACH), .WX(WX), .X_SIGN(X_SIGN), .WU(WU), .WY(WC),
        .READ(READ), .BLOCK(BLOCK_FROM == 0 ? 1 : 0), .FILE(FILE_0)) search (
        .clk, .resetn, .put, .d, .q_put(count_put), .q(count));
  end

  if (STEP < 0) begin : g_count
    assign q_put = count_put;
    for (genvar i = 0; i < LANES; i++) begin : g_lane
      assign q[i*WY+:WY] = WY'(count[i*WC+:WC]);
    end
  end else begin : g_value
    bitsmith_requant #(.LANES(LANES), .WX(WC), .X_SIGN(0), .KIND(STEP == 2 ? -1 : STEP), .WM(WM), .M_SIGN(M_SIGN),
        .M_FOLDS(M_FOLDS), .MULT(MULT), .MULT_FILE(MULT_FILE), .Z(Z), .HAS_ADD(HAS_ADD), .WA(WA), .A_FOLDS(A_FOLDS),
        .ADD(ADD), .ADD_FILE(ADD_FILE), .WT(WY), .LAST(0), .WY(WY)) value (
        .clk, .resetn, .put(count_put), .d(count), .q_put, .q);
  end
endmodule
