// AMD DSP slices: DSP48E1 (UG479) and DSP48E2 (UG579) as far as yosys uses them: multiplier, pre-adder, 48-bit adder with
// its feedback and cascade, and every register of the data path.  Logic functions, SIMD, pattern detection, carry inputs
// and inverted pins end the build or the run.

// What both share; A_BITS is the width of the multiplier's first operand.
module bitsmith_dsp48 #(
    parameter int A_BITS = 25,
    parameter int AREG = 1, BREG = 1, CREG = 1, DREG = 1, ADREG = 1, MREG = 1, PREG = 1,
    parameter int ACASCREG = 1, BCASCREG = 1, INMODEREG = 1, OPMODEREG = 1, ALUMODEREG = 1,
    parameter bit A_CASCADE = 0, B_CASCADE = 0, PRE_ADDER = 0
) (
    input  logic clk,
    input  logic [29:0] a, acin,
    input  logic [17:0] b, bcin,
    input  logic [47:0] c, pcin,
    input  logic [A_BITS-1:0] d,
    input  logic [4:0] inmode,
    input  logic [6:0] opmode,
    input  logic [3:0] alumode,
    input  logic ce_a1, ce_a2, ce_b1, ce_b2, ce_c, ce_d, ce_ad, ce_m, ce_p, ce_inmode, ce_control, ce_alumode,
    input  logic rst_a, rst_b, rst_c, rst_d, rst_m, rst_p, rst_inmode, rst_control, rst_alumode,
    output logic [29:0] acout,
    output logic [17:0] bcout,
    output logic [47:0] p
);
  // Registers; each has its input at hand for where it is left out.
  logic [29:0] a_in, a1_held, a2_held, a1, a2;
  logic [17:0] b_in, b1_held, b2_held, b1, b2;
  logic [47:0] c_held, c_now, p_held, sum;
  logic [A_BITS-1:0] d_held, d_now, ad, ad_held, ad_now;
  logic signed [A_BITS+17:0] m, m_held, m_now;
  logic [4:0] inmode_held, in;
  logic [6:0] opmode_held, op;
  logic [3:0] alumode_held, alu;

  assign a_in = A_CASCADE ? acin : a;
  assign b_in = B_CASCADE ? bcin : b;
  initial begin
    {a1_held, a2_held, b1_held, b2_held, c_held, d_held, ad_held, m_held, p_held} = '0;
    {inmode_held, opmode_held, alumode_held} = '0;
  end
  always @(posedge clk) begin
    if (rst_a) {a1_held, a2_held} <= '0;
    else begin
      if (ce_a1) a1_held <= a_in;
      if (ce_a2) a2_held <= AREG == 2 ? a1_held : a_in;
    end
    if (rst_b) {b1_held, b2_held} <= '0;
    else begin
      if (ce_b1) b1_held <= b_in;
      if (ce_b2) b2_held <= BREG == 2 ? b1_held : b_in;
    end
    if (rst_c) c_held <= '0; else if (ce_c) c_held <= c;
    if (rst_d) d_held <= '0; else if (ce_d) d_held <= d;
    if (rst_d) ad_held <= '0; else if (ce_ad) ad_held <= ad;
    if (rst_m) m_held <= '0; else if (ce_m) m_held <= m;
    if (rst_p) p_held <= '0; else if (ce_p) p_held <= sum;
    if (rst_inmode) inmode_held <= '0; else if (ce_inmode) inmode_held <= inmode;
    if (rst_control) opmode_held <= '0; else if (ce_control) opmode_held <= opmode;
    if (rst_alumode) alumode_held <= '0; else if (ce_alumode) alumode_held <= alumode;
  end
  assign a2 = AREG == 0 ? a_in : a2_held;
  assign a1 = AREG == 2 ? a1_held : a2;
  assign b2 = BREG == 0 ? b_in : b2_held;
  assign b1 = BREG == 2 ? b1_held : b2;
  assign c_now = CREG == 0 ? c : c_held;
  assign d_now = DREG == 0 ? d : d_held;
  assign in  = INMODEREG == 0 ? inmode : inmode_held;
  assign op  = OPMODEREG == 0 ? opmode : opmode_held;
  assign alu = ALUMODEREG == 0 ? alumode : alumode_held;
  assign acout = ACASCREG == 0 ? a_in : ACASCREG == 1 && AREG == 2 ? a1_held : a2;
  assign bcout = BCASCREG == 0 ? b_in : BCASCREG == 1 && BREG == 2 ? b1_held : b2;

  // Pre-adder, multiplier.
  logic [A_BITS-1:0] a_chosen, d_chosen;
  logic signed [17:0] b_chosen;
  assign a_chosen = in[1] ? '0 : in[0] ? a1[A_BITS-1:0] : a2[A_BITS-1:0];
  assign d_chosen = in[2] ? d_now : '0;
  assign ad = in[3] ? d_chosen - a_chosen : d_chosen + a_chosen;
  assign ad_now = !PRE_ADDER ? a_chosen : ADREG == 0 ? ad : ad_held;
  assign b_chosen = in[4] ? b1 : b2;
  assign m = $signed(ad_now) * b_chosen;
  assign m_now = MREG == 0 ? m : m_held;

  // The adder: Z and X + Y.  The product goes over X and Y together.
  logic signed [47:0] x, y, z;
  always_comb begin
    x = '0;
    y = '0;
    unique case (op[1:0])
      2'd0: ;
      2'd1: x = 48'(m_now);
      2'd2: x = p_held;
      2'd3: x = {a2, b2};
    endcase
    unique case (op[3:2])
      2'd0, 2'd1: ;
      2'd2: y = '1;
      2'd3: y = c_now;
    endcase
    z = '0;
    case (op[6:4])
      3'd0: ;
      3'd1: z = pcin;
      3'd2: z = p_held;
      3'd3: z = c_now;
      3'd5: z = $signed(pcin) >>> 17;
      3'd6: z = $signed(p_held) >>> 17;
      default: $fatal(1, "DSP48: unknown OPMODE");
    endcase
    if ((op[1:0] == 2'd1) != (op[3:2] == 2'd1)) $fatal(1, "DSP48: half a product is not known");
    unique case (alu)
      4'd0: sum = z + x + y;
      4'd1: sum = ~z + x + y;
      4'd2: sum = ~(z + x + y);
      4'd3: sum = z - (x + y);
      default: begin
        sum = '0;
        $fatal(1, "DSP48: logic functions are not known");
      end
    endcase
  end
  assign p = PREG == 0 ? sum : p_held;
endmodule

module DSP48E1 #(
    parameter int ACASCREG = 1, ADREG = 1, ALUMODEREG = 1, AREG = 1, BCASCREG = 1, BREG = 1, CARRYINREG = 1,
    parameter int CARRYINSELREG = 1, CREG = 1, DREG = 1, INMODEREG = 1, MREG = 1, OPMODEREG = 1, PREG = 1,
    parameter A_INPUT = "DIRECT", B_INPUT = "DIRECT", USE_MULT = "MULTIPLY", USE_SIMD = "ONE48",
    parameter USE_PATTERN_DETECT = "NO_PATDET", AUTORESET_PATDET = "NO_RESET",
    parameter SEL_MASK = "MASK", SEL_PATTERN = "PATTERN",
    parameter USE_DPORT = "FALSE",
    parameter [47:0] MASK = 48'h3fffffffffff, PATTERN = 48'd0,
    parameter [3:0] IS_ALUMODE_INVERTED = 0,
    parameter [0:0] IS_CARRYIN_INVERTED = 0, IS_CLK_INVERTED = 0,
    parameter [4:0] IS_INMODE_INVERTED = 0,
    parameter [6:0] IS_OPMODE_INVERTED = 0
) (
    input  logic CLK,
    input  logic [29:0] A, ACIN,
    input  logic [17:0] B, BCIN,
    input  logic [47:0] C, PCIN,
    input  logic [24:0] D,
    input  logic [4:0] INMODE,
    input  logic [6:0] OPMODE,
    input  logic [3:0] ALUMODE,
    input  logic [2:0] CARRYINSEL,
    input  logic CARRYIN, CARRYCASCIN, MULTSIGNIN,
    input  logic CEA1, CEA2, CEAD, CEALUMODE, CEB1, CEB2, CEC, CECARRYIN, CECTRL, CED, CEINMODE, CEM, CEP,
    input  logic RSTA, RSTALLCARRYIN, RSTALUMODE, RSTB, RSTC, RSTCTRL, RSTD, RSTINMODE, RSTM, RSTP,
    output logic [29:0] ACOUT,
    output logic [17:0] BCOUT,
    output logic [47:0] P, PCOUT,
    output logic [3:0] CARRYOUT,
    output logic CARRYCASCOUT, MULTSIGNOUT, OVERFLOW, UNDERFLOW, PATTERNDETECT, PATTERNBDETECT
);
  assign {CARRYOUT, CARRYCASCOUT, MULTSIGNOUT, OVERFLOW, UNDERFLOW, PATTERNDETECT, PATTERNBDETECT} = 'x;  // not known
  if (USE_SIMD != "ONE48" || USE_PATTERN_DETECT != "NO_PATDET") $fatal(1, "DSP48E1: SIMD and patterns are not known");
  if (IS_ALUMODE_INVERTED != 0 || IS_CARRYIN_INVERTED || IS_CLK_INVERTED || IS_INMODE_INVERTED != 0 ||
      IS_OPMODE_INVERTED != 0)
    $fatal(1, "DSP48E1: inverted pins are not known");
  if (USE_DPORT != "TRUE" && USE_DPORT != "FALSE") $fatal(1, "DSP48E1: unknown USE_DPORT");
  always_comb if (CARRYIN || CARRYINSEL != 3'd0) $fatal(1, "DSP48E1: carry inputs are not known");
  bitsmith_dsp48 #(
      .A_BITS(25), .AREG(AREG), .BREG(BREG), .CREG(CREG), .DREG(DREG), .ADREG(ADREG), .MREG(MREG), .PREG(PREG),
      .ACASCREG(ACASCREG), .BCASCREG(BCASCREG), .INMODEREG(INMODEREG), .OPMODEREG(OPMODEREG), .ALUMODEREG(ALUMODEREG),
      .A_CASCADE(A_INPUT == "CASCADE"), .B_CASCADE(B_INPUT == "CASCADE"), .PRE_ADDER(USE_DPORT == "TRUE")
  ) u_slice (
      .clk(CLK), .a(A), .acin(ACIN), .b(B), .bcin(BCIN), .c(C), .pcin(PCIN), .d(D),
      .inmode(INMODE), .opmode(OPMODE), .alumode(ALUMODE),
      .ce_a1(CEA1), .ce_a2(CEA2), .ce_b1(CEB1), .ce_b2(CEB2), .ce_c(CEC), .ce_d(CED), .ce_ad(CEAD), .ce_m(CEM),
      .ce_p(CEP), .ce_inmode(CEINMODE), .ce_control(CECTRL), .ce_alumode(CEALUMODE),
      .rst_a(RSTA), .rst_b(RSTB), .rst_c(RSTC), .rst_d(RSTD), .rst_m(RSTM), .rst_p(RSTP), .rst_inmode(RSTINMODE),
      .rst_control(RSTCTRL), .rst_alumode(RSTALUMODE),
      .acout(ACOUT), .bcout(BCOUT), .p(P)
  );
  assign PCOUT = P;
endmodule

module DSP48E2 #(
    parameter int ACASCREG = 1, ADREG = 1, ALUMODEREG = 1, AREG = 1, BCASCREG = 1, BREG = 1, CARRYINREG = 1,
    parameter int CARRYINSELREG = 1, CREG = 1, DREG = 1, INMODEREG = 1, MREG = 1, OPMODEREG = 1, PREG = 1,
    parameter A_INPUT = "DIRECT", B_INPUT = "DIRECT", USE_MULT = "MULTIPLY", USE_SIMD = "ONE48",
    parameter USE_PATTERN_DETECT = "NO_PATDET", AUTORESET_PATDET = "NO_RESET",
    parameter SEL_MASK = "MASK", SEL_PATTERN = "PATTERN",
    parameter AMULTSEL = "A", BMULTSEL = "B", PREADDINSEL = "A", USE_WIDEXOR = "FALSE",
    parameter [47:0] MASK = 48'h3fffffffffff, PATTERN = 48'd0,
    parameter [3:0] IS_ALUMODE_INVERTED = 0,
    parameter [0:0] IS_CARRYIN_INVERTED = 0, IS_CLK_INVERTED = 0,
    parameter [4:0] IS_INMODE_INVERTED = 0,
    parameter [8:0] IS_OPMODE_INVERTED = 0
) (
    input  logic CLK,
    input  logic [29:0] A, ACIN,
    input  logic [17:0] B, BCIN,
    input  logic [47:0] C, PCIN,
    input  logic [26:0] D,
    input  logic [4:0] INMODE,
    input  logic [8:0] OPMODE,
    input  logic [3:0] ALUMODE,
    input  logic [2:0] CARRYINSEL,
    input  logic CARRYIN, CARRYCASCIN, MULTSIGNIN,
    input  logic CEA1, CEA2, CEAD, CEALUMODE, CEB1, CEB2, CEC, CECARRYIN, CECTRL, CED, CEINMODE, CEM, CEP,
    input  logic RSTA, RSTALLCARRYIN, RSTALUMODE, RSTB, RSTC, RSTCTRL, RSTD, RSTINMODE, RSTM, RSTP,
    output logic [29:0] ACOUT,
    output logic [17:0] BCOUT,
    output logic [47:0] P, PCOUT,
    output logic [3:0] CARRYOUT,
    output logic CARRYCASCOUT, MULTSIGNOUT, OVERFLOW, UNDERFLOW, PATTERNDETECT, PATTERNBDETECT
);
  assign {CARRYOUT, CARRYCASCOUT, MULTSIGNOUT, OVERFLOW, UNDERFLOW, PATTERNDETECT, PATTERNBDETECT} = 'x;  // not known
  if (USE_SIMD != "ONE48" || USE_PATTERN_DETECT != "NO_PATDET") $fatal(1, "DSP48E2: SIMD and patterns are not known");
  if (IS_ALUMODE_INVERTED != 0 || IS_CARRYIN_INVERTED || IS_CLK_INVERTED || IS_INMODE_INVERTED != 0 ||
      IS_OPMODE_INVERTED != 0)
    $fatal(1, "DSP48E2: inverted pins are not known");
  if ((AMULTSEL != "A" && AMULTSEL != "AD") || BMULTSEL != "B" || PREADDINSEL != "A" || USE_WIDEXOR != "FALSE")
    $fatal(1, "DSP48E2: only the pre-adder of A and D is known");
  always_comb if (OPMODE[8:7] != 2'd0) $fatal(1, "DSP48E2: the W multiplexer is not known");
  always_comb if (CARRYIN || CARRYINSEL != 3'd0) $fatal(1, "DSP48E2: carry inputs are not known");
  bitsmith_dsp48 #(
      .A_BITS(27), .AREG(AREG), .BREG(BREG), .CREG(CREG), .DREG(DREG), .ADREG(ADREG), .MREG(MREG), .PREG(PREG),
      .ACASCREG(ACASCREG), .BCASCREG(BCASCREG), .INMODEREG(INMODEREG), .OPMODEREG(OPMODEREG), .ALUMODEREG(ALUMODEREG),
      .A_CASCADE(A_INPUT == "CASCADE"), .B_CASCADE(B_INPUT == "CASCADE"), .PRE_ADDER(AMULTSEL == "AD")
  ) u_slice (
      .clk(CLK), .a(A), .acin(ACIN), .b(B), .bcin(BCIN), .c(C), .pcin(PCIN), .d(D),
      .inmode(INMODE), .opmode(OPMODE[6:0]), .alumode(ALUMODE),
      .ce_a1(CEA1), .ce_a2(CEA2), .ce_b1(CEB1), .ce_b2(CEB2), .ce_c(CEC), .ce_d(CED), .ce_ad(CEAD), .ce_m(CEM),
      .ce_p(CEP), .ce_inmode(CEINMODE), .ce_control(CECTRL), .ce_alumode(CEALUMODE),
      .rst_a(RSTA), .rst_b(RSTB), .rst_c(RSTC), .rst_d(RSTD), .rst_m(RSTM), .rst_p(RSTP), .rst_inmode(RSTINMODE),
      .rst_control(RSTCTRL), .rst_alumode(RSTALUMODE),
      .acout(ACOUT), .bcout(BCOUT), .p(P)
  );
  assign PCOUT = P;
endmodule
