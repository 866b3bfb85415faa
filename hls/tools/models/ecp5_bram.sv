// Lattice ECP5 block RAM (FPGA-TN-02204, memory usage guide) without output registers: true dual port up to 18 bits a
// port, and the 36-bit pseudo dual port, where port A writes and port B reads words over both ports' data pins.
// INITVAL_nn holds sixteen 18-bit words, each in 20 bits.
module DP16KD #(
    parameter DATA_WIDTH_A = 18,
    parameter DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG",
    parameter REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC",
    parameter ASYNC_RESET_RELEASE = "SYNC",
    parameter CSDECODE_A = "0b000",
    parameter CSDECODE_B = "0b000",
    parameter WRITEMODE_A = "NORMAL",
    parameter WRITEMODE_B = "NORMAL",
    parameter CLKAMUX = "CLKA",
    parameter CLKBMUX = "CLKB",
    parameter GSR = "ENABLED",
    parameter [319:0] INITVAL_00 = 320'd0, INITVAL_01 = 320'd0, INITVAL_02 = 320'd0, INITVAL_03 = 320'd0, INITVAL_04 =
        320'd0, INITVAL_05 = 320'd0, INITVAL_06 = 320'd0, INITVAL_07 = 320'd0, INITVAL_08 = 320'd0, INITVAL_09 =
        320'd0, INITVAL_0A = 320'd0, INITVAL_0B = 320'd0, INITVAL_0C = 320'd0, INITVAL_0D = 320'd0, INITVAL_0E =
        320'd0, INITVAL_0F = 320'd0, INITVAL_10 = 320'd0, INITVAL_11 = 320'd0, INITVAL_12 = 320'd0, INITVAL_13 =
        320'd0, INITVAL_14 = 320'd0, INITVAL_15 = 320'd0, INITVAL_16 = 320'd0, INITVAL_17 = 320'd0, INITVAL_18 =
        320'd0, INITVAL_19 = 320'd0, INITVAL_1A = 320'd0, INITVAL_1B = 320'd0, INITVAL_1C = 320'd0, INITVAL_1D =
        320'd0, INITVAL_1E = 320'd0, INITVAL_1F = 320'd0, INITVAL_20 = 320'd0, INITVAL_21 = 320'd0, INITVAL_22 =
        320'd0, INITVAL_23 = 320'd0, INITVAL_24 = 320'd0, INITVAL_25 = 320'd0, INITVAL_26 = 320'd0, INITVAL_27 =
        320'd0, INITVAL_28 = 320'd0, INITVAL_29 = 320'd0, INITVAL_2A = 320'd0, INITVAL_2B = 320'd0, INITVAL_2C =
        320'd0, INITVAL_2D = 320'd0, INITVAL_2E = 320'd0, INITVAL_2F = 320'd0, INITVAL_30 = 320'd0, INITVAL_31 =
        320'd0, INITVAL_32 = 320'd0, INITVAL_33 = 320'd0, INITVAL_34 = 320'd0, INITVAL_35 = 320'd0, INITVAL_36 =
        320'd0, INITVAL_37 = 320'd0, INITVAL_38 = 320'd0, INITVAL_39 = 320'd0, INITVAL_3A = 320'd0, INITVAL_3B =
        320'd0, INITVAL_3C = 320'd0, INITVAL_3D = 320'd0, INITVAL_3E = 320'd0, INITVAL_3F = 320'd0
) (
    input  logic DIA17 = 1'b0, DIA16 = 1'b0, DIA15 = 1'b0, DIA14 = 1'b0, DIA13 = 1'b0, DIA12 = 1'b0, DIA11 = 1'b0,
        DIA10 = 1'b0, DIA9 = 1'b0, DIA8 = 1'b0, DIA7 = 1'b0, DIA6 = 1'b0, DIA5 = 1'b0, DIA4 = 1'b0, DIA3 = 1'b0, DIA2
        = 1'b0, DIA1 = 1'b0, DIA0 = 1'b0,
    input  logic ADA13 = 1'b0, ADA12 = 1'b0, ADA11 = 1'b0, ADA10 = 1'b0, ADA9 = 1'b0, ADA8 = 1'b0, ADA7 = 1'b0, ADA6 =
        1'b0, ADA5 = 1'b0, ADA4 = 1'b0, ADA3 = 1'b0, ADA2 = 1'b0, ADA1 = 1'b0, ADA0 = 1'b0,
    input  logic CEA, CLKA, OCEA = 1'b1, WEA = 1'b0, RSTA = 1'b0, CSA2 = 1'b0, CSA1 = 1'b0, CSA0 = 1'b0,
    output logic DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3,
        DOA2, DOA1, DOA0,
    input  logic DIB17 = 1'b0, DIB16 = 1'b0, DIB15 = 1'b0, DIB14 = 1'b0, DIB13 = 1'b0, DIB12 = 1'b0, DIB11 = 1'b0,
        DIB10 = 1'b0, DIB9 = 1'b0, DIB8 = 1'b0, DIB7 = 1'b0, DIB6 = 1'b0, DIB5 = 1'b0, DIB4 = 1'b0, DIB3 = 1'b0, DIB2
        = 1'b0, DIB1 = 1'b0, DIB0 = 1'b0,
    input  logic ADB13 = 1'b0, ADB12 = 1'b0, ADB11 = 1'b0, ADB10 = 1'b0, ADB9 = 1'b0, ADB8 = 1'b0, ADB7 = 1'b0, ADB6 =
        1'b0, ADB5 = 1'b0, ADB4 = 1'b0, ADB3 = 1'b0, ADB2 = 1'b0, ADB1 = 1'b0, ADB0 = 1'b0,
    input  logic CEB, CLKB, OCEB = 1'b1, WEB = 1'b0, RSTB = 1'b0, CSB2 = 1'b0, CSB1 = 1'b0, CSB0 = 1'b0,
    output logic DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3,
        DOB2, DOB1, DOB0
);
  if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG") $fatal(1, "DP16KD: output registers are not known");
  if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000") $fatal(1, "DP16KD: only CSDECODE 0b000 is known");
  if (CLKAMUX != "CLKA" || CLKBMUX != "CLKB") $fatal(1, "DP16KD: inverted clocks are not known");
  if (RESETMODE != "SYNC" && RESETMODE != "ASYNC") $fatal(1, "DP16KD: unknown RESETMODE");
  if ((DATA_WIDTH_A == 36) != (DATA_WIDTH_B == 36)) begin : g_mixed
    if (DATA_WIDTH_B == 36) $fatal(1, "DP16KD: 36 bits wide on port B alone is not known");
  end
  if (WRITEMODE_A != "NORMAL" && WRITEMODE_A != "WRITETHROUGH" && WRITEMODE_A != "READBEFOREWRITE")
    $fatal(1, "DP16KD: unknown WRITEMODE_A");
  if (WRITEMODE_B != "NORMAL" && WRITEMODE_B != "WRITETHROUGH" && WRITEMODE_B != "READBEFOREWRITE")
    $fatal(1, "DP16KD: unknown WRITEMODE_B");

  // 18-bit words, their 20-bit places taken out.
  localparam bit [20479:0] PLACES = {
      INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38, INITVAL_37,
          INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E,
          INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25,
          INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C,
          INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13,
          INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A,
          INITVAL_09, INITVAL_08, INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01,
          INITVAL_00
  };
  function automatic bit [18431:0] words(input bit [20479:0] places);
    for (int i = 0; i < 1024; i++) words[18*i+:18] = places[20*i+:18];
  endfunction
  function automatic int mode(input bit [255:0] name);
    return name == "WRITETHROUGH" ? 1 : name == "READBEFOREWRITE" ? 2 : 0;
  endfunction

  logic [13:0] a_address, b_address;
  logic [17:0] a_low, b_low;
  logic [71:0] a_in, b_in, a_out, b_out;
  logic [7:0] a_write, b_write;
  assign a_address = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  assign a_low = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3,
      DIA2, DIA1, DIA0};
  assign b_address = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  assign b_low = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3,
      DIB2, DIB1, DIB0};
  // From 18 bits on, the lowest address pins are byte enables.
  if (DATA_WIDTH_A == 36) begin : g_wide
    assign a_in = 72'({b_low, a_low});
    assign a_write = {4'd0, a_address[3:0]} & {8{WEA}};
    assign b_in = '0;
    assign b_write = '0;
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
        DOA1, DOA0} = DATA_WIDTH_B == 36 ? b_out[17:0] : 18'd0;
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
        DOB1, DOB0} = DATA_WIDTH_B == 36 ? b_out[35:18] : b_out[17:0];
    always_comb if (WEB) $fatal(1, "DP16KD: port B writes in pseudo dual port mode");
  end else begin : g_true
    assign a_in = 72'(a_low);
    assign b_in = 72'(b_low);
    assign a_write = (DATA_WIDTH_A == 18 ? {6'd0, a_address[1:0]} : 8'd1) & {8{WEA}};
    assign b_write = (DATA_WIDTH_B == 18 ? {6'd0, b_address[1:0]} : 8'd1) & {8{WEB}};
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
        DOA1, DOA0} = a_out[17:0];
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
        DOB1, DOB0} = b_out[17:0];
  end

  always_comb begin
    if (RESETMODE == "ASYNC" && (RSTA || RSTB)) $fatal(1, "DP16KD: asynchronous reset is not known");
    if ({CSA2, CSA1, CSA0, CSB2, CSB1, CSB0} != 6'd0) $fatal(1, "DP16KD: chip selects are not known");
    if (!OCEB) $fatal(1, "DP16KD: the output enable of port B is not known");
  end

  bitsmith_cell_ram #(
      .ABITS(14),
      .A_WIDTH(DATA_WIDTH_A),
      .B_WIDTH(DATA_WIDTH_B),
      .A_MODE(mode(WRITEMODE_A)),
      .B_MODE(mode(WRITEMODE_B)),
      .RESET_STOPS_WRITE(1),
      .INIT(words(PLACES))
  ) u_ram (
      .a_clk(CLKA),
      .a_enable(CEA),
      .a_reset(RSTA),
      .a_write(a_write),
      .a_address(a_address),
      .a_in(a_in),
      .a_out(a_out),
      .b_clk(CLKB),
      .b_enable(CEB),
      .b_reset(RSTB),
      .b_write(b_write),
      .b_address(b_address),
      .b_in(b_in),
      .b_out(b_out)
  );
endmodule
