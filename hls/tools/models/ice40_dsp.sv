// Lattice iCE40 UltraPlus DSP block, after FPGA-TN-02007 (DSP function usage guide), figure "DSP functional model":
// a 16 x 16 multiplier and two 16-bit adders with accumulators, signal names as there.  The 8 x 8 mode, the falling
// clock edge, the registers of the partial products and the chain inputs end the build.
module SB_MAC16 #(
    parameter [0:0] NEG_TRIGGER = 0, C_REG = 0, A_REG = 0, B_REG = 0, D_REG = 0,
    parameter [0:0] TOP_8x8_MULT_REG = 0, BOT_8x8_MULT_REG = 0,
    parameter [0:0] PIPELINE_16x16_MULT_REG1 = 0, PIPELINE_16x16_MULT_REG2 = 0,
    parameter [1:0] TOPOUTPUT_SELECT = 0, TOPADDSUB_LOWERINPUT = 0, TOPADDSUB_CARRYSELECT = 0,
    parameter [0:0] TOPADDSUB_UPPERINPUT = 0,
    parameter [1:0] BOTOUTPUT_SELECT = 0, BOTADDSUB_LOWERINPUT = 0, BOTADDSUB_CARRYSELECT = 0,
    parameter [0:0] BOTADDSUB_UPPERINPUT = 0,
    parameter [0:0] MODE_8x8 = 0, A_SIGNED = 0, B_SIGNED = 0
) (
    input  logic CLK = 1'b0, CE = 1'b1,
    input  logic [15:0] C = 16'd0, A = 16'd0, B = 16'd0, D = 16'd0,
    input  logic AHOLD = 1'b0, BHOLD = 1'b0, CHOLD = 1'b0, DHOLD = 1'b0,
    input  logic IRSTTOP = 1'b0, IRSTBOT = 1'b0, ORSTTOP = 1'b0, ORSTBOT = 1'b0,
    input  logic OLOADTOP = 1'b0, OLOADBOT = 1'b0, ADDSUBTOP = 1'b0, ADDSUBBOT = 1'b0, OHOLDTOP = 1'b0, OHOLDBOT = 1'b0,
    input  logic CI = 1'b0, ACCUMCI = 1'b0, SIGNEXTIN = 1'b0,
    output logic [31:0] O,
    output logic CO, ACCUMCO, SIGNEXTOUT
);
  if (NEG_TRIGGER || MODE_8x8) $fatal(1, "SB_MAC16: only the 16 x 16 mode on rising edges is known");
  if (TOP_8x8_MULT_REG != BOT_8x8_MULT_REG || TOP_8x8_MULT_REG != PIPELINE_16x16_MULT_REG1)
    $fatal(1, "SB_MAC16: the registers of the partial products are known all together only");
  if (TOPOUTPUT_SELECT == 2 || BOTOUTPUT_SELECT == 2 || TOPADDSUB_LOWERINPUT == 1 || BOTADDSUB_LOWERINPUT == 1)
    $fatal(1, "SB_MAC16: 8 x 8 products are not known");
  if (BOTADDSUB_LOWERINPUT == 3 || BOTADDSUB_CARRYSELECT[1]) $fatal(1, "SB_MAC16: chain inputs are not known");

  // Operands; each register stands beside its bypass.
  logic [15:0] a_held, b_held, c_held, d_held, a, b, c, d;
  initial {a_held, b_held, c_held, d_held} = '0;
  always @(posedge CLK or posedge IRSTTOP)
    if (IRSTTOP) {a_held, c_held} <= '0;
    else if (CE) begin
      if (!AHOLD) a_held <= A;
      if (!CHOLD) c_held <= C;
    end
  always @(posedge CLK or posedge IRSTBOT)
    if (IRSTBOT) {b_held, d_held} <= '0;
    else if (CE) begin
      if (!BHOLD) b_held <= B;
      if (!DHOLD) d_held <= D;
    end
  assign a = A_REG ? a_held : A;
  assign b = B_REG ? b_held : B;
  assign c = C_REG ? c_held : C;
  assign d = D_REG ? d_held : D;

  // The product: through the registers of the partial products, then through register H.
  logic signed [16:0] a_wide, b_wide;
  logic signed [33:0] product;
  logic [31:0] partial, first, whole, second;
  assign a_wide  = {A_SIGNED && a[15], a};
  assign b_wide  = {B_SIGNED && b[15], b};
  assign product = a_wide * b_wide;
  initial {partial, whole} = '0;
  always @(posedge CLK) if (CE) partial <= product[31:0];
  always @(posedge CLK or posedge IRSTBOT) if (IRSTBOT) whole <= '0; else if (CE) whole <= first;
  assign first  = PIPELINE_16x16_MULT_REG1 ? partial : product[31:0];
  assign second = PIPELINE_16x16_MULT_REG2 ? whole : first;
  always_comb
    if (PIPELINE_16x16_MULT_REG1 && (IRSTTOP || IRSTBOT)) $fatal(1, "SB_MAC16: reset of partial products is not known");

  // Two adders.  A subtraction is done as ~(~upper + lower): the carry is that of the inverted sum.
  logic [15:0] top_sum, bot_sum, top_upper, bot_upper, top_lower, bot_lower, top_out, bot_out, top_held, bot_held;
  logic bot_carry_in, bot_carry_out, top_carry_in;
  assign bot_upper = BOTADDSUB_UPPERINPUT ? d : bot_held;
  assign bot_lower = BOTADDSUB_LOWERINPUT == 0 ? b : second[15:0];
  assign bot_carry_in = BOTADDSUB_CARRYSELECT == 1;
  assign {bot_carry_out, bot_sum} = 17'(bot_lower) + 17'(bot_upper ^ {16{ADDSUBBOT}}) + 17'(bot_carry_in);
  assign bot_out = OLOADBOT ? d : bot_sum ^ {16{ADDSUBBOT}};

  assign top_upper = TOPADDSUB_UPPERINPUT ? c : top_held;
  assign top_lower = TOPADDSUB_LOWERINPUT == 0 ? a : TOPADDSUB_LOWERINPUT == 2 ? second[31:16] : {16{bot_lower[15]}};
  assign top_carry_in = TOPADDSUB_CARRYSELECT == 0 ? 1'b0 : TOPADDSUB_CARRYSELECT == 1 ? 1'b1 :
                        TOPADDSUB_CARRYSELECT == 2 ? bot_carry_out : bot_carry_out ^ ADDSUBBOT;
  assign {ACCUMCO, top_sum} = 17'(top_lower) + 17'(top_upper ^ {16{ADDSUBTOP}}) + 17'(top_carry_in);
  assign top_out = OLOADTOP ? c : top_sum ^ {16{ADDSUBTOP}};
  assign CO = ACCUMCO ^ ADDSUBTOP;
  assign SIGNEXTOUT = top_lower[15];

  initial {top_held, bot_held} = '0;
  always @(posedge CLK or posedge ORSTTOP)
    if (ORSTTOP) top_held <= '0;
    else if (CE && !OHOLDTOP) top_held <= top_out;
  always @(posedge CLK or posedge ORSTBOT)
    if (ORSTBOT) bot_held <= '0;
    else if (CE && !OHOLDBOT) bot_held <= bot_out;
  assign O[31:16] = TOPOUTPUT_SELECT == 0 ? top_out : TOPOUTPUT_SELECT == 1 ? top_held : second[31:16];
  assign O[15:0]  = BOTOUTPUT_SELECT == 0 ? bot_out : BOTOUTPUT_SELECT == 1 ? bot_held : second[15:0];
endmodule
