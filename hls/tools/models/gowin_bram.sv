// Gowin block RAM (UG285, block static random access memory) without output registers.  Two kinds of cell: bytes of
// eight bits, and of nine with an X9 in the name.  From two bytes on, the lowest address pins are byte enables.

// What all of them share: port A writes and reads, port B too.  Widths and data are in the bytes of the cell.
module bitsmith_gowin_bram #(
    parameter int BYTE = 8,
    parameter int WIDTH_A = 32, WIDTH_B = 32,
    parameter int MODE_A = 0, MODE_B = 0,
    parameter RESET_MODE = "SYNC",
    parameter bit [64*32*BYTE-1:0] INIT = '0
) (
    input  logic a_clk, a_enable, a_write, a_reset,
    input  logic [13:0] a_address,
    input  logic [4*BYTE-1:0] a_in,
    output logic [4*BYTE-1:0] a_out,
    input  logic b_clk, b_enable, b_write, b_reset,
    input  logic [13:0] b_address,
    input  logic [4*BYTE-1:0] b_in,
    output logic [4*BYTE-1:0] b_out
);
  if (RESET_MODE != "SYNC" && RESET_MODE != "ASYNC") $fatal(1, "Gowin BSRAM: unknown RESET_MODE");
  if (MODE_A < 0 || MODE_A > 2 || MODE_B < 0 || MODE_B > 2) $fatal(1, "Gowin BSRAM: unknown WRITE_MODE");
  always_comb if (RESET_MODE == "ASYNC" && (a_reset || b_reset)) $fatal(1, "Gowin BSRAM: asynchronous reset is not known");

  // Widths in bytes of nine bits.
  function automatic int nine(input int width);
    return width < BYTE ? width : width / BYTE * 9;
  endfunction
  function automatic bit [18431:0] bytes(input bit [64*32*BYTE-1:0] packed_bytes);
    for (int i = 0; i < 2048; i++) bytes[9*i+:9] = 9'(packed_bytes[BYTE*i+:BYTE]);
  endfunction
  function automatic logic [7:0] enables(input int width, input logic [3:0] low);
    return width / BYTE >= 4 ? {4'd0, low} : width / BYTE == 2 ? {6'd0, low[1:0]} : 8'd1;
  endfunction

  logic [71:0] a_wide_in, b_wide_in, a_wide_out, b_wide_out;
  always_comb begin
    {a_wide_in, b_wide_in} = '0;
    for (int i = 0; i < 4; i++) begin
      a_wide_in[9*i+:9] = 9'(a_in[BYTE*i+:BYTE]);
      b_wide_in[9*i+:9] = 9'(b_in[BYTE*i+:BYTE]);
      a_out[BYTE*i+:BYTE] = a_wide_out[9*i+:BYTE];
      b_out[BYTE*i+:BYTE] = b_wide_out[9*i+:BYTE];
    end
  end

  bitsmith_cell_ram #(
      .ABITS(14),
      .A_WIDTH(nine(WIDTH_A)),
      .B_WIDTH(nine(WIDTH_B)),
      .A_MODE(MODE_A),
      .B_MODE(MODE_B),
      .INIT(bytes(INIT))
  ) u_ram (
      .a_clk(a_clk),
      .a_enable(a_enable),
      .a_reset(a_reset),
      .a_write(a_write ? enables(WIDTH_A, a_address[3:0]) : 8'd0),
      .a_address(a_address),
      .a_in(a_wide_in),
      .a_out(a_wide_out),
      .b_clk(b_clk),
      .b_enable(b_enable),
      .b_reset(b_reset),
      .b_write(b_write ? enables(WIDTH_B, b_address[3:0]) : 8'd0),
      .b_address(b_address),
      .b_in(b_wide_in),
      .b_out(b_wide_out)
  );
endmodule

module SP #(
    parameter [0:0] READ_MODE = 1'b0,
    parameter int WRITE_MODE = 0,
    parameter int BIT_WIDTH = 32,
    parameter [2:0] BLK_SEL = 3'b000,
    parameter RESET_MODE = "SYNC",
    parameter [255:0] INIT_RAM_00 = 256'd0, INIT_RAM_01 = 256'd0, INIT_RAM_02 = 256'd0, INIT_RAM_03 = 256'd0,
        INIT_RAM_04 = 256'd0, INIT_RAM_05 = 256'd0, INIT_RAM_06 = 256'd0, INIT_RAM_07 = 256'd0, INIT_RAM_08 = 256'd0,
        INIT_RAM_09 = 256'd0, INIT_RAM_0A = 256'd0, INIT_RAM_0B = 256'd0, INIT_RAM_0C = 256'd0, INIT_RAM_0D = 256'd0,
        INIT_RAM_0E = 256'd0, INIT_RAM_0F = 256'd0, INIT_RAM_10 = 256'd0, INIT_RAM_11 = 256'd0, INIT_RAM_12 = 256'd0,
        INIT_RAM_13 = 256'd0, INIT_RAM_14 = 256'd0, INIT_RAM_15 = 256'd0, INIT_RAM_16 = 256'd0, INIT_RAM_17 = 256'd0,
        INIT_RAM_18 = 256'd0, INIT_RAM_19 = 256'd0, INIT_RAM_1A = 256'd0, INIT_RAM_1B = 256'd0, INIT_RAM_1C = 256'd0,
        INIT_RAM_1D = 256'd0, INIT_RAM_1E = 256'd0, INIT_RAM_1F = 256'd0, INIT_RAM_20 = 256'd0, INIT_RAM_21 = 256'd0,
        INIT_RAM_22 = 256'd0, INIT_RAM_23 = 256'd0, INIT_RAM_24 = 256'd0, INIT_RAM_25 = 256'd0, INIT_RAM_26 = 256'd0,
        INIT_RAM_27 = 256'd0, INIT_RAM_28 = 256'd0, INIT_RAM_29 = 256'd0, INIT_RAM_2A = 256'd0, INIT_RAM_2B = 256'd0,
        INIT_RAM_2C = 256'd0, INIT_RAM_2D = 256'd0, INIT_RAM_2E = 256'd0, INIT_RAM_2F = 256'd0, INIT_RAM_30 = 256'd0,
        INIT_RAM_31 = 256'd0, INIT_RAM_32 = 256'd0, INIT_RAM_33 = 256'd0, INIT_RAM_34 = 256'd0, INIT_RAM_35 = 256'd0,
        INIT_RAM_36 = 256'd0, INIT_RAM_37 = 256'd0, INIT_RAM_38 = 256'd0, INIT_RAM_39 = 256'd0, INIT_RAM_3A = 256'd0,
        INIT_RAM_3B = 256'd0, INIT_RAM_3C = 256'd0, INIT_RAM_3D = 256'd0, INIT_RAM_3E = 256'd0, INIT_RAM_3F = 256'd0
) (
    input  logic CLK, CE, OCE, WRE, RESET,
    input  logic [2:0] BLKSEL,
    input  logic [13:0] AD,
    input  logic [31:0] DI,
    output logic [31:0] DO
);
  if (READ_MODE) $fatal(1, "SP: output registers are not known");
  always_comb if (BLKSEL != BLK_SEL) $fatal(1, "SP: block selection is not known");
  logic [31:0] unused;
  bitsmith_gowin_bram #(
      .BYTE(8), .WIDTH_A(BIT_WIDTH), .WIDTH_B(BIT_WIDTH), .MODE_A(WRITE_MODE), .RESET_MODE(RESET_MODE),
      .INIT({INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
          INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
          INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
          INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
          INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
          INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
          INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
          INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00})
  ) u_ram (
      .a_clk(CLK), .a_enable(CE), .a_write(WRE), .a_reset(RESET), .a_address(AD), .a_in(DI), .a_out(DO),
      .b_clk(1'b0), .b_enable(1'b0), .b_write(1'b0), .b_reset(1'b0), .b_address('0), .b_in('0), .b_out(unused)
  );
endmodule

module SDPB #(
    parameter [0:0] READ_MODE = 1'b0,
    parameter int BIT_WIDTH_0 = 32,
    parameter int BIT_WIDTH_1 = 32,
    parameter [2:0] BLK_SEL_0 = 3'b000,
    parameter [2:0] BLK_SEL_1 = 3'b000,
    parameter RESET_MODE = "SYNC",
    parameter [255:0] INIT_RAM_00 = 256'd0, INIT_RAM_01 = 256'd0, INIT_RAM_02 = 256'd0, INIT_RAM_03 = 256'd0,
        INIT_RAM_04 = 256'd0, INIT_RAM_05 = 256'd0, INIT_RAM_06 = 256'd0, INIT_RAM_07 = 256'd0, INIT_RAM_08 = 256'd0,
        INIT_RAM_09 = 256'd0, INIT_RAM_0A = 256'd0, INIT_RAM_0B = 256'd0, INIT_RAM_0C = 256'd0, INIT_RAM_0D = 256'd0,
        INIT_RAM_0E = 256'd0, INIT_RAM_0F = 256'd0, INIT_RAM_10 = 256'd0, INIT_RAM_11 = 256'd0, INIT_RAM_12 = 256'd0,
        INIT_RAM_13 = 256'd0, INIT_RAM_14 = 256'd0, INIT_RAM_15 = 256'd0, INIT_RAM_16 = 256'd0, INIT_RAM_17 = 256'd0,
        INIT_RAM_18 = 256'd0, INIT_RAM_19 = 256'd0, INIT_RAM_1A = 256'd0, INIT_RAM_1B = 256'd0, INIT_RAM_1C = 256'd0,
        INIT_RAM_1D = 256'd0, INIT_RAM_1E = 256'd0, INIT_RAM_1F = 256'd0, INIT_RAM_20 = 256'd0, INIT_RAM_21 = 256'd0,
        INIT_RAM_22 = 256'd0, INIT_RAM_23 = 256'd0, INIT_RAM_24 = 256'd0, INIT_RAM_25 = 256'd0, INIT_RAM_26 = 256'd0,
        INIT_RAM_27 = 256'd0, INIT_RAM_28 = 256'd0, INIT_RAM_29 = 256'd0, INIT_RAM_2A = 256'd0, INIT_RAM_2B = 256'd0,
        INIT_RAM_2C = 256'd0, INIT_RAM_2D = 256'd0, INIT_RAM_2E = 256'd0, INIT_RAM_2F = 256'd0, INIT_RAM_30 = 256'd0,
        INIT_RAM_31 = 256'd0, INIT_RAM_32 = 256'd0, INIT_RAM_33 = 256'd0, INIT_RAM_34 = 256'd0, INIT_RAM_35 = 256'd0,
        INIT_RAM_36 = 256'd0, INIT_RAM_37 = 256'd0, INIT_RAM_38 = 256'd0, INIT_RAM_39 = 256'd0, INIT_RAM_3A = 256'd0,
        INIT_RAM_3B = 256'd0, INIT_RAM_3C = 256'd0, INIT_RAM_3D = 256'd0, INIT_RAM_3E = 256'd0, INIT_RAM_3F = 256'd0
) (
    input  logic CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB,
    input  logic [2:0] BLKSELA, BLKSELB,
    input  logic [13:0] ADA, ADB,
    input  logic [31:0] DI,
    output logic [31:0] DO
);
  if (READ_MODE) $fatal(1, "SDPB: output registers are not known");
  always_comb if (BLKSELA != BLK_SEL_0 || BLKSELB != BLK_SEL_1) $fatal(1, "SDPB: block selection is not known");
  logic [31:0] unused;
  bitsmith_gowin_bram #(
      .BYTE(8), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .RESET_MODE(RESET_MODE),
      .INIT({INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
          INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
          INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
          INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
          INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
          INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
          INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
          INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00})
  ) u_ram (
      .a_clk(CLKA), .a_enable(CEA), .a_write(1'b1), .a_reset(RESETA), .a_address(ADA), .a_in(DI), .a_out(unused),
      .b_clk(CLKB), .b_enable(CEB), .b_write(1'b0), .b_reset(RESETB), .b_address(ADB), .b_in('0), .b_out(DO)
  );
endmodule

module DPB #(
    parameter [0:0] READ_MODE0 = 1'b0,
    parameter [0:0] READ_MODE1 = 1'b0,
    parameter int WRITE_MODE0 = 0,
    parameter int WRITE_MODE1 = 0,
    parameter int BIT_WIDTH_0 = 16,
    parameter int BIT_WIDTH_1 = 16,
    parameter [2:0] BLK_SEL_0 = 3'b000,
    parameter [2:0] BLK_SEL_1 = 3'b000,
    parameter RESET_MODE = "SYNC",
    parameter [255:0] INIT_RAM_00 = 256'd0, INIT_RAM_01 = 256'd0, INIT_RAM_02 = 256'd0, INIT_RAM_03 = 256'd0,
        INIT_RAM_04 = 256'd0, INIT_RAM_05 = 256'd0, INIT_RAM_06 = 256'd0, INIT_RAM_07 = 256'd0, INIT_RAM_08 = 256'd0,
        INIT_RAM_09 = 256'd0, INIT_RAM_0A = 256'd0, INIT_RAM_0B = 256'd0, INIT_RAM_0C = 256'd0, INIT_RAM_0D = 256'd0,
        INIT_RAM_0E = 256'd0, INIT_RAM_0F = 256'd0, INIT_RAM_10 = 256'd0, INIT_RAM_11 = 256'd0, INIT_RAM_12 = 256'd0,
        INIT_RAM_13 = 256'd0, INIT_RAM_14 = 256'd0, INIT_RAM_15 = 256'd0, INIT_RAM_16 = 256'd0, INIT_RAM_17 = 256'd0,
        INIT_RAM_18 = 256'd0, INIT_RAM_19 = 256'd0, INIT_RAM_1A = 256'd0, INIT_RAM_1B = 256'd0, INIT_RAM_1C = 256'd0,
        INIT_RAM_1D = 256'd0, INIT_RAM_1E = 256'd0, INIT_RAM_1F = 256'd0, INIT_RAM_20 = 256'd0, INIT_RAM_21 = 256'd0,
        INIT_RAM_22 = 256'd0, INIT_RAM_23 = 256'd0, INIT_RAM_24 = 256'd0, INIT_RAM_25 = 256'd0, INIT_RAM_26 = 256'd0,
        INIT_RAM_27 = 256'd0, INIT_RAM_28 = 256'd0, INIT_RAM_29 = 256'd0, INIT_RAM_2A = 256'd0, INIT_RAM_2B = 256'd0,
        INIT_RAM_2C = 256'd0, INIT_RAM_2D = 256'd0, INIT_RAM_2E = 256'd0, INIT_RAM_2F = 256'd0, INIT_RAM_30 = 256'd0,
        INIT_RAM_31 = 256'd0, INIT_RAM_32 = 256'd0, INIT_RAM_33 = 256'd0, INIT_RAM_34 = 256'd0, INIT_RAM_35 = 256'd0,
        INIT_RAM_36 = 256'd0, INIT_RAM_37 = 256'd0, INIT_RAM_38 = 256'd0, INIT_RAM_39 = 256'd0, INIT_RAM_3A = 256'd0,
        INIT_RAM_3B = 256'd0, INIT_RAM_3C = 256'd0, INIT_RAM_3D = 256'd0, INIT_RAM_3E = 256'd0, INIT_RAM_3F = 256'd0
) (
    input  logic CLKA, CEA, CLKB, CEB, OCEA, OCEB, RESETA, RESETB, WREA, WREB,
    input  logic [2:0] BLKSELA, BLKSELB,
    input  logic [13:0] ADA, ADB,
    input  logic [15:0] DIA, DIB,
    output logic [15:0] DOA, DOB
);
  if (READ_MODE0 || READ_MODE1) $fatal(1, "DPB: output registers are not known");
  always_comb if (BLKSELA != BLK_SEL_0 || BLKSELB != BLK_SEL_1) $fatal(1, "DPB: block selection is not known");
  logic [15:0] unused_a, unused_b;
  bitsmith_gowin_bram #(
      .BYTE(8), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .MODE_A(WRITE_MODE0), .MODE_B(WRITE_MODE1),
      .RESET_MODE(RESET_MODE),
      .INIT({INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
          INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
          INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
          INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
          INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
          INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
          INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
          INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00})
  ) u_ram (
      .a_clk(CLKA), .a_enable(CEA), .a_write(WREA), .a_reset(RESETA), .a_address(ADA),
      .a_in(32'(DIA)), .a_out({unused_a, DOA}),
      .b_clk(CLKB), .b_enable(CEB), .b_write(WREB), .b_reset(RESETB), .b_address(ADB),
      .b_in(32'(DIB)), .b_out({unused_b, DOB})
  );
endmodule

module SPX9 #(
    parameter [0:0] READ_MODE = 1'b0,
    parameter int WRITE_MODE = 0,
    parameter int BIT_WIDTH = 36,
    parameter [2:0] BLK_SEL = 3'b000,
    parameter RESET_MODE = "SYNC",
    parameter [287:0] INIT_RAM_00 = 288'd0, INIT_RAM_01 = 288'd0, INIT_RAM_02 = 288'd0, INIT_RAM_03 = 288'd0,
        INIT_RAM_04 = 288'd0, INIT_RAM_05 = 288'd0, INIT_RAM_06 = 288'd0, INIT_RAM_07 = 288'd0, INIT_RAM_08 = 288'd0,
        INIT_RAM_09 = 288'd0, INIT_RAM_0A = 288'd0, INIT_RAM_0B = 288'd0, INIT_RAM_0C = 288'd0, INIT_RAM_0D = 288'd0,
        INIT_RAM_0E = 288'd0, INIT_RAM_0F = 288'd0, INIT_RAM_10 = 288'd0, INIT_RAM_11 = 288'd0, INIT_RAM_12 = 288'd0,
        INIT_RAM_13 = 288'd0, INIT_RAM_14 = 288'd0, INIT_RAM_15 = 288'd0, INIT_RAM_16 = 288'd0, INIT_RAM_17 = 288'd0,
        INIT_RAM_18 = 288'd0, INIT_RAM_19 = 288'd0, INIT_RAM_1A = 288'd0, INIT_RAM_1B = 288'd0, INIT_RAM_1C = 288'd0,
        INIT_RAM_1D = 288'd0, INIT_RAM_1E = 288'd0, INIT_RAM_1F = 288'd0, INIT_RAM_20 = 288'd0, INIT_RAM_21 = 288'd0,
        INIT_RAM_22 = 288'd0, INIT_RAM_23 = 288'd0, INIT_RAM_24 = 288'd0, INIT_RAM_25 = 288'd0, INIT_RAM_26 = 288'd0,
        INIT_RAM_27 = 288'd0, INIT_RAM_28 = 288'd0, INIT_RAM_29 = 288'd0, INIT_RAM_2A = 288'd0, INIT_RAM_2B = 288'd0,
        INIT_RAM_2C = 288'd0, INIT_RAM_2D = 288'd0, INIT_RAM_2E = 288'd0, INIT_RAM_2F = 288'd0, INIT_RAM_30 = 288'd0,
        INIT_RAM_31 = 288'd0, INIT_RAM_32 = 288'd0, INIT_RAM_33 = 288'd0, INIT_RAM_34 = 288'd0, INIT_RAM_35 = 288'd0,
        INIT_RAM_36 = 288'd0, INIT_RAM_37 = 288'd0, INIT_RAM_38 = 288'd0, INIT_RAM_39 = 288'd0, INIT_RAM_3A = 288'd0,
        INIT_RAM_3B = 288'd0, INIT_RAM_3C = 288'd0, INIT_RAM_3D = 288'd0, INIT_RAM_3E = 288'd0, INIT_RAM_3F = 288'd0
) (
    input  logic CLK, CE, OCE, WRE, RESET,
    input  logic [2:0] BLKSEL,
    input  logic [13:0] AD,
    input  logic [35:0] DI,
    output logic [35:0] DO
);
  if (READ_MODE) $fatal(1, "SPX9: output registers are not known");
  always_comb if (BLKSEL != BLK_SEL) $fatal(1, "SPX9: block selection is not known");
  logic [35:0] unused;
  bitsmith_gowin_bram #(
      .BYTE(9), .WIDTH_A(BIT_WIDTH), .WIDTH_B(BIT_WIDTH), .MODE_A(WRITE_MODE), .RESET_MODE(RESET_MODE),
      .INIT({INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
          INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
          INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
          INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
          INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
          INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
          INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
          INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00})
  ) u_ram (
      .a_clk(CLK), .a_enable(CE), .a_write(WRE), .a_reset(RESET), .a_address(AD), .a_in(DI), .a_out(DO),
      .b_clk(1'b0), .b_enable(1'b0), .b_write(1'b0), .b_reset(1'b0), .b_address('0), .b_in('0), .b_out(unused)
  );
endmodule

module SDPX9B #(
    parameter [0:0] READ_MODE = 1'b0,
    parameter int BIT_WIDTH_0 = 36,
    parameter int BIT_WIDTH_1 = 36,
    parameter [2:0] BLK_SEL_0 = 3'b000,
    parameter [2:0] BLK_SEL_1 = 3'b000,
    parameter RESET_MODE = "SYNC",
    parameter [287:0] INIT_RAM_00 = 288'd0, INIT_RAM_01 = 288'd0, INIT_RAM_02 = 288'd0, INIT_RAM_03 = 288'd0,
        INIT_RAM_04 = 288'd0, INIT_RAM_05 = 288'd0, INIT_RAM_06 = 288'd0, INIT_RAM_07 = 288'd0, INIT_RAM_08 = 288'd0,
        INIT_RAM_09 = 288'd0, INIT_RAM_0A = 288'd0, INIT_RAM_0B = 288'd0, INIT_RAM_0C = 288'd0, INIT_RAM_0D = 288'd0,
        INIT_RAM_0E = 288'd0, INIT_RAM_0F = 288'd0, INIT_RAM_10 = 288'd0, INIT_RAM_11 = 288'd0, INIT_RAM_12 = 288'd0,
        INIT_RAM_13 = 288'd0, INIT_RAM_14 = 288'd0, INIT_RAM_15 = 288'd0, INIT_RAM_16 = 288'd0, INIT_RAM_17 = 288'd0,
        INIT_RAM_18 = 288'd0, INIT_RAM_19 = 288'd0, INIT_RAM_1A = 288'd0, INIT_RAM_1B = 288'd0, INIT_RAM_1C = 288'd0,
        INIT_RAM_1D = 288'd0, INIT_RAM_1E = 288'd0, INIT_RAM_1F = 288'd0, INIT_RAM_20 = 288'd0, INIT_RAM_21 = 288'd0,
        INIT_RAM_22 = 288'd0, INIT_RAM_23 = 288'd0, INIT_RAM_24 = 288'd0, INIT_RAM_25 = 288'd0, INIT_RAM_26 = 288'd0,
        INIT_RAM_27 = 288'd0, INIT_RAM_28 = 288'd0, INIT_RAM_29 = 288'd0, INIT_RAM_2A = 288'd0, INIT_RAM_2B = 288'd0,
        INIT_RAM_2C = 288'd0, INIT_RAM_2D = 288'd0, INIT_RAM_2E = 288'd0, INIT_RAM_2F = 288'd0, INIT_RAM_30 = 288'd0,
        INIT_RAM_31 = 288'd0, INIT_RAM_32 = 288'd0, INIT_RAM_33 = 288'd0, INIT_RAM_34 = 288'd0, INIT_RAM_35 = 288'd0,
        INIT_RAM_36 = 288'd0, INIT_RAM_37 = 288'd0, INIT_RAM_38 = 288'd0, INIT_RAM_39 = 288'd0, INIT_RAM_3A = 288'd0,
        INIT_RAM_3B = 288'd0, INIT_RAM_3C = 288'd0, INIT_RAM_3D = 288'd0, INIT_RAM_3E = 288'd0, INIT_RAM_3F = 288'd0
) (
    input  logic CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB,
    input  logic [2:0] BLKSELA, BLKSELB,
    input  logic [13:0] ADA, ADB,
    input  logic [35:0] DI,
    output logic [35:0] DO
);
  if (READ_MODE) $fatal(1, "SDPX9B: output registers are not known");
  always_comb if (BLKSELA != BLK_SEL_0 || BLKSELB != BLK_SEL_1) $fatal(1, "SDPX9B: block selection is not known");
  logic [35:0] unused;
  bitsmith_gowin_bram #(
      .BYTE(9), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .RESET_MODE(RESET_MODE),
      .INIT({INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
          INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
          INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
          INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
          INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
          INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
          INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
          INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00})
  ) u_ram (
      .a_clk(CLKA), .a_enable(CEA), .a_write(1'b1), .a_reset(RESETA), .a_address(ADA), .a_in(DI), .a_out(unused),
      .b_clk(CLKB), .b_enable(CEB), .b_write(1'b0), .b_reset(RESETB), .b_address(ADB), .b_in('0), .b_out(DO)
  );
endmodule

module DPX9B #(
    parameter [0:0] READ_MODE0 = 1'b0,
    parameter [0:0] READ_MODE1 = 1'b0,
    parameter int WRITE_MODE0 = 0,
    parameter int WRITE_MODE1 = 0,
    parameter int BIT_WIDTH_0 = 18,
    parameter int BIT_WIDTH_1 = 18,
    parameter [2:0] BLK_SEL_0 = 3'b000,
    parameter [2:0] BLK_SEL_1 = 3'b000,
    parameter RESET_MODE = "SYNC",
    parameter [287:0] INIT_RAM_00 = 288'd0, INIT_RAM_01 = 288'd0, INIT_RAM_02 = 288'd0, INIT_RAM_03 = 288'd0,
        INIT_RAM_04 = 288'd0, INIT_RAM_05 = 288'd0, INIT_RAM_06 = 288'd0, INIT_RAM_07 = 288'd0, INIT_RAM_08 = 288'd0,
        INIT_RAM_09 = 288'd0, INIT_RAM_0A = 288'd0, INIT_RAM_0B = 288'd0, INIT_RAM_0C = 288'd0, INIT_RAM_0D = 288'd0,
        INIT_RAM_0E = 288'd0, INIT_RAM_0F = 288'd0, INIT_RAM_10 = 288'd0, INIT_RAM_11 = 288'd0, INIT_RAM_12 = 288'd0,
        INIT_RAM_13 = 288'd0, INIT_RAM_14 = 288'd0, INIT_RAM_15 = 288'd0, INIT_RAM_16 = 288'd0, INIT_RAM_17 = 288'd0,
        INIT_RAM_18 = 288'd0, INIT_RAM_19 = 288'd0, INIT_RAM_1A = 288'd0, INIT_RAM_1B = 288'd0, INIT_RAM_1C = 288'd0,
        INIT_RAM_1D = 288'd0, INIT_RAM_1E = 288'd0, INIT_RAM_1F = 288'd0, INIT_RAM_20 = 288'd0, INIT_RAM_21 = 288'd0,
        INIT_RAM_22 = 288'd0, INIT_RAM_23 = 288'd0, INIT_RAM_24 = 288'd0, INIT_RAM_25 = 288'd0, INIT_RAM_26 = 288'd0,
        INIT_RAM_27 = 288'd0, INIT_RAM_28 = 288'd0, INIT_RAM_29 = 288'd0, INIT_RAM_2A = 288'd0, INIT_RAM_2B = 288'd0,
        INIT_RAM_2C = 288'd0, INIT_RAM_2D = 288'd0, INIT_RAM_2E = 288'd0, INIT_RAM_2F = 288'd0, INIT_RAM_30 = 288'd0,
        INIT_RAM_31 = 288'd0, INIT_RAM_32 = 288'd0, INIT_RAM_33 = 288'd0, INIT_RAM_34 = 288'd0, INIT_RAM_35 = 288'd0,
        INIT_RAM_36 = 288'd0, INIT_RAM_37 = 288'd0, INIT_RAM_38 = 288'd0, INIT_RAM_39 = 288'd0, INIT_RAM_3A = 288'd0,
        INIT_RAM_3B = 288'd0, INIT_RAM_3C = 288'd0, INIT_RAM_3D = 288'd0, INIT_RAM_3E = 288'd0, INIT_RAM_3F = 288'd0
) (
    input  logic CLKA, CEA, CLKB, CEB, OCEA, OCEB, RESETA, RESETB, WREA, WREB,
    input  logic [2:0] BLKSELA, BLKSELB,
    input  logic [13:0] ADA, ADB,
    input  logic [17:0] DIA, DIB,
    output logic [17:0] DOA, DOB
);
  if (READ_MODE0 || READ_MODE1) $fatal(1, "DPX9B: output registers are not known");
  always_comb if (BLKSELA != BLK_SEL_0 || BLKSELB != BLK_SEL_1) $fatal(1, "DPX9B: block selection is not known");
  logic [17:0] unused_a, unused_b;
  bitsmith_gowin_bram #(
      .BYTE(9), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .MODE_A(WRITE_MODE0), .MODE_B(WRITE_MODE1),
      .RESET_MODE(RESET_MODE),
      .INIT({INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
          INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
          INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
          INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
          INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
          INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
          INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
          INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00})
  ) u_ram (
      .a_clk(CLKA), .a_enable(CEA), .a_write(WREA), .a_reset(RESETA), .a_address(ADA),
      .a_in(36'(DIA)), .a_out({unused_a, DOA}),
      .b_clk(CLKB), .b_enable(CEB), .b_write(WREB), .b_reset(RESETB), .b_address(ADB),
      .b_in(36'(DIB)), .b_out({unused_b, DOB})
  );
endmodule

