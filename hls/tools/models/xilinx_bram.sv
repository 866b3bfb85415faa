// AMD block RAM (UG473 and UG573, memory resources) without output registers, cascades and error correction.  A port
// that is as wide as both together takes and gives its upper half over the other port's data pins.

// What the four cells share.  Data and parity are apart, as at the pins; HALF is half the widest port in bytes.
module bitsmith_xilinx_bram #(
    parameter int ABITS = 14, HALF = 2,
    parameter int READ_A = 0, READ_B = 0, WRITE_A = 0, WRITE_B = 0,
    parameter MODE_A = "WRITE_FIRST", MODE_B = "WRITE_FIRST",
    parameter bit [2**ABITS-1:0] INIT = '0,
    parameter bit [2**(ABITS-3)-1:0] INITP = '0,
    parameter bit [9*HALF-1:0] START_A = '0, START_B = '0, RESET_A = '0, RESET_B = '0
) (
    input  logic a_clk, a_enable, a_reset,
    input  logic [7:0] a_write,
    input  logic [ABITS-1:0] a_address,
    input  logic [8*HALF-1:0] a_in,
    input  logic [HALF-1:0] a_parity,
    output logic [8*HALF-1:0] a_out,
    output logic [HALF-1:0] a_out_parity,
    input  logic b_clk, b_enable, b_reset,
    input  logic [7:0] b_write,
    input  logic [ABITS-1:0] b_address,
    input  logic [8*HALF-1:0] b_in,
    input  logic [HALF-1:0] b_parity,
    output logic [8*HALF-1:0] b_out,
    output logic [HALF-1:0] b_out_parity
);
  localparam int WIDE = 18 * HALF;
  if (READ_A != 0 && WRITE_A != 0 && READ_A != WRITE_A) $fatal(1, "RAMB: a port with two widths is not known");
  if (READ_B != 0 && WRITE_B != 0 && READ_B != WRITE_B) $fatal(1, "RAMB: a port with two widths is not known");
  if (READ_B == WIDE || WRITE_A == WIDE) $fatal(1, "RAMB: only A reads and only B writes over both ports' pins");
  if (READ_A == WIDE && READ_B != 0) $fatal(1, "RAMB: both ports read while A is as wide as both");
  if (WRITE_B == WIDE && WRITE_A != 0) $fatal(1, "RAMB: both ports write while B is as wide as both");
  function automatic int mode(input bit [127:0] name);
    return name == "NO_CHANGE" ? 0 : name == "WRITE_FIRST" ? 1 : name == "READ_FIRST" ? 2 : 3;
  endfunction
  if (mode(MODE_A) == 3 || mode(MODE_B) == 3) $fatal(1, "RAMB: unknown WRITE_MODE");
  localparam int WIDTH_A = READ_A != 0 ? READ_A : WRITE_A != 0 ? WRITE_A : 1;
  localparam int WIDTH_B = READ_B != 0 ? READ_B : WRITE_B != 0 ? WRITE_B : 1;

  // Bytes of nine bits from data and parity.
  function automatic bit [9*2**(ABITS-3)-1:0] start(input bit [2**ABITS-1:0] data, input bit [2**(ABITS-3)-1:0] parity);
    for (int i = 0; i < 2 ** (ABITS - 3); i++) start[9*i+:9] = {parity[i], data[8*i+:8]};
  endfunction
  function automatic bit [71:0] join_low(input bit [9*HALF-1:0] value);
    join_low = '0;
    for (int i = 0; i < HALF; i++) join_low[9*i+:9] = {value[8*HALF+i], value[8*i+:8]};
  endfunction

  logic [71:0] a_bytes, b_bytes, a_read, b_read;
  always_comb begin
    {a_bytes, b_bytes} = '0;
    for (int i = 0; i < HALF; i++) begin
      a_bytes[9*i+:9] = {a_parity[i], a_in[8*i+:8]};
      b_bytes[9*i+:9] = {b_parity[i], b_in[8*i+:8]};
      a_out[8*i+:8] = a_read[9*i+:8];
      a_out_parity[i] = a_read[9*i+8];
      b_out[8*i+:8] = READ_A == WIDE ? a_read[9*(i+HALF)+:8] : b_read[9*i+:8];
      b_out_parity[i] = READ_A == WIDE ? a_read[9*(i+HALF)+8] : b_read[9*i+8];
    end
    if (WRITE_B == WIDE) b_bytes = (b_bytes << 9 * HALF) | a_bytes;
  end

  // B's start and reset values belong to A's upper half where A is as wide as both.
  localparam bit [71:0] UPPER_START = READ_A == WIDE ? join_low(START_B) << 9 * HALF : '0;
  localparam bit [71:0] UPPER_RESET = READ_A == WIDE ? join_low(RESET_B) << 9 * HALF : '0;

  bitsmith_cell_ram #(
      .ABITS(ABITS),
      .A_WIDTH(WIDTH_A),
      .B_WIDTH(WIDTH_B),
      .A_MODE(mode(MODE_A)),
      .B_MODE(mode(MODE_B)),
      .OLD_FOR_OTHER(1),
      .RESET_NEEDS_ENABLE(1),
      .A_START(join_low(START_A) | UPPER_START),
      .B_START(join_low(START_B)),
      .A_RESET(join_low(RESET_A) | UPPER_RESET),
      .B_RESET(join_low(RESET_B)),
      .INIT(start(INIT, INITP))
  ) u_ram (
      .a_clk(a_clk),
      .a_enable(a_enable),
      .a_reset(a_reset),
      .a_write(WRITE_A != 0 ? a_write : 8'd0),
      .a_address(a_address),
      .a_in(a_bytes),
      .a_out(a_read),
      .b_clk(b_clk),
      .b_enable(b_enable),
      .b_reset(b_reset),
      .b_write(WRITE_B != 0 ? b_write : 8'd0),
      .b_address(b_address),
      .b_in(b_bytes),
      .b_out(b_read)
  );
endmodule

module RAMB18E1 #(
    parameter int READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0, DOA_REG = 0, DOB_REG = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST",
    parameter RAM_MODE = "TDP",
    parameter [17:0] INIT_A = 18'd0, INIT_B = 18'd0, SRVAL_A = 18'd0, SRVAL_B = 18'd0,
    parameter [255:0] INITP_00 = 256'd0, INITP_01 = 256'd0, INITP_02 = 256'd0, INITP_03 = 256'd0, INITP_04 = 256'd0,
        INITP_05 = 256'd0, INITP_06 = 256'd0, INITP_07 = 256'd0, INIT_00 = 256'd0, INIT_01 = 256'd0, INIT_02 = 256'd0,
        INIT_03 = 256'd0, INIT_04 = 256'd0, INIT_05 = 256'd0, INIT_06 = 256'd0, INIT_07 = 256'd0, INIT_08 = 256'd0,
        INIT_09 = 256'd0, INIT_0A = 256'd0, INIT_0B = 256'd0, INIT_0C = 256'd0, INIT_0D = 256'd0, INIT_0E = 256'd0,
        INIT_0F = 256'd0, INIT_10 = 256'd0, INIT_11 = 256'd0, INIT_12 = 256'd0, INIT_13 = 256'd0, INIT_14 = 256'd0,
        INIT_15 = 256'd0, INIT_16 = 256'd0, INIT_17 = 256'd0, INIT_18 = 256'd0, INIT_19 = 256'd0, INIT_1A = 256'd0,
        INIT_1B = 256'd0, INIT_1C = 256'd0, INIT_1D = 256'd0, INIT_1E = 256'd0, INIT_1F = 256'd0, INIT_20 = 256'd0,
        INIT_21 = 256'd0, INIT_22 = 256'd0, INIT_23 = 256'd0, INIT_24 = 256'd0, INIT_25 = 256'd0, INIT_26 = 256'd0,
        INIT_27 = 256'd0, INIT_28 = 256'd0, INIT_29 = 256'd0, INIT_2A = 256'd0, INIT_2B = 256'd0, INIT_2C = 256'd0,
        INIT_2D = 256'd0, INIT_2E = 256'd0, INIT_2F = 256'd0, INIT_30 = 256'd0, INIT_31 = 256'd0, INIT_32 = 256'd0,
        INIT_33 = 256'd0, INIT_34 = 256'd0, INIT_35 = 256'd0, INIT_36 = 256'd0, INIT_37 = 256'd0, INIT_38 = 256'd0,
        INIT_39 = 256'd0, INIT_3A = 256'd0, INIT_3B = 256'd0, INIT_3C = 256'd0, INIT_3D = 256'd0, INIT_3E = 256'd0,
        INIT_3F = 256'd0
) (
    input  logic CLKARDCLK, ENARDEN, REGCEAREGCE, RSTRAMARSTRAM, RSTREGARSTREG,
    input  logic CLKBWRCLK, ENBWREN, REGCEB, RSTRAMB, RSTREGB,
    input  logic [13:0] ADDRARDADDR, ADDRBWRADDR,
    input  logic [1:0] WEA,
    input  logic [3:0] WEBWE,
    input  logic [15:0] DIADI, DIBDI,
    input  logic [1:0] DIPADIP, DIPBDIP,
    output logic [15:0] DOADO, DOBDO,
    output logic [1:0] DOPADOP, DOPBDOP
);
  if (DOA_REG != 0 || DOB_REG != 0) $fatal(1, "RAMB18E1: output registers are not known");
  if (RAM_MODE != "TDP" && RAM_MODE != "SDP") $fatal(1, "RAMB18E1: unknown RAM_MODE");
  bitsmith_xilinx_bram #(
      .ABITS(14), .HALF(2), .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A),
      .WRITE_B(WRITE_WIDTH_B), .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B),
      .INIT({INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A, INIT_39, INIT_38, INIT_37, INIT_36, INIT_35,
          INIT_34, INIT_33, INIT_32, INIT_31, INIT_30, INIT_2F, INIT_2E, INIT_2D, INIT_2C, INIT_2B, INIT_2A, INIT_29,
          INIT_28, INIT_27, INIT_26, INIT_25, INIT_24, INIT_23, INIT_22, INIT_21, INIT_20, INIT_1F, INIT_1E, INIT_1D,
          INIT_1C, INIT_1B, INIT_1A, INIT_19, INIT_18, INIT_17, INIT_16, INIT_15, INIT_14, INIT_13, INIT_12, INIT_11,
          INIT_10, INIT_0F, INIT_0E, INIT_0D, INIT_0C, INIT_0B, INIT_0A, INIT_09, INIT_08, INIT_07, INIT_06, INIT_05,
          INIT_04, INIT_03, INIT_02, INIT_01, INIT_00}),
      .INITP({INITP_07, INITP_06, INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00}),
      .START_A(INIT_A), .START_B(INIT_B), .RESET_A(SRVAL_A), .RESET_B(SRVAL_B)
  ) u_ram (
      .a_clk(CLKARDCLK), .a_enable(ENARDEN), .a_reset(RSTRAMARSTRAM), .a_write(8'(WEA)),
      .a_address(ADDRARDADDR[13:0]), .a_in(DIADI), .a_parity(DIPADIP),
      .a_out(DOADO), .a_out_parity(DOPADOP),
      .b_clk(CLKBWRCLK), .b_enable(ENBWREN), .b_reset(RSTRAMB), .b_write(8'(WEBWE)),
      .b_address(ADDRBWRADDR[13:0]), .b_in(DIBDI), .b_parity(DIPBDIP),
      .b_out(DOBDO), .b_out_parity(DOPBDOP)
  );
endmodule

module RAMB18E2 #(
    parameter int READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0, DOA_REG = 0, DOB_REG = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST",
    parameter [17:0] INIT_A = 18'd0, INIT_B = 18'd0, SRVAL_A = 18'd0, SRVAL_B = 18'd0,
    parameter [255:0] INITP_00 = 256'd0, INITP_01 = 256'd0, INITP_02 = 256'd0, INITP_03 = 256'd0, INITP_04 = 256'd0,
        INITP_05 = 256'd0, INITP_06 = 256'd0, INITP_07 = 256'd0, INIT_00 = 256'd0, INIT_01 = 256'd0, INIT_02 = 256'd0,
        INIT_03 = 256'd0, INIT_04 = 256'd0, INIT_05 = 256'd0, INIT_06 = 256'd0, INIT_07 = 256'd0, INIT_08 = 256'd0,
        INIT_09 = 256'd0, INIT_0A = 256'd0, INIT_0B = 256'd0, INIT_0C = 256'd0, INIT_0D = 256'd0, INIT_0E = 256'd0,
        INIT_0F = 256'd0, INIT_10 = 256'd0, INIT_11 = 256'd0, INIT_12 = 256'd0, INIT_13 = 256'd0, INIT_14 = 256'd0,
        INIT_15 = 256'd0, INIT_16 = 256'd0, INIT_17 = 256'd0, INIT_18 = 256'd0, INIT_19 = 256'd0, INIT_1A = 256'd0,
        INIT_1B = 256'd0, INIT_1C = 256'd0, INIT_1D = 256'd0, INIT_1E = 256'd0, INIT_1F = 256'd0, INIT_20 = 256'd0,
        INIT_21 = 256'd0, INIT_22 = 256'd0, INIT_23 = 256'd0, INIT_24 = 256'd0, INIT_25 = 256'd0, INIT_26 = 256'd0,
        INIT_27 = 256'd0, INIT_28 = 256'd0, INIT_29 = 256'd0, INIT_2A = 256'd0, INIT_2B = 256'd0, INIT_2C = 256'd0,
        INIT_2D = 256'd0, INIT_2E = 256'd0, INIT_2F = 256'd0, INIT_30 = 256'd0, INIT_31 = 256'd0, INIT_32 = 256'd0,
        INIT_33 = 256'd0, INIT_34 = 256'd0, INIT_35 = 256'd0, INIT_36 = 256'd0, INIT_37 = 256'd0, INIT_38 = 256'd0,
        INIT_39 = 256'd0, INIT_3A = 256'd0, INIT_3B = 256'd0, INIT_3C = 256'd0, INIT_3D = 256'd0, INIT_3E = 256'd0,
        INIT_3F = 256'd0
) (
    input  logic CLKARDCLK, ENARDEN, REGCEAREGCE, RSTRAMARSTRAM, RSTREGARSTREG,
    input  logic CLKBWRCLK, ENBWREN, REGCEB, RSTRAMB, RSTREGB,
    input  logic ADDRENA, ADDRENB, SLEEP,
    input  logic [13:0] ADDRARDADDR, ADDRBWRADDR,
    input  logic [1:0] WEA,
    input  logic [3:0] WEBWE,
    input  logic [15:0] DINADIN, DINBDIN,
    input  logic [1:0] DINPADINP, DINPBDINP,
    output logic [15:0] DOUTADOUT, DOUTBDOUT,
    output logic [1:0] DOUTPADOUTP, DOUTPBDOUTP
);
  if (DOA_REG != 0 || DOB_REG != 0) $fatal(1, "RAMB18E2: output registers are not known");
  always_comb if (!ADDRENA || !ADDRENB || SLEEP) $fatal(1, "RAMB18E2: address enables and sleep are not known");
  bitsmith_xilinx_bram #(
      .ABITS(14), .HALF(2), .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A),
      .WRITE_B(WRITE_WIDTH_B), .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B),
      .INIT({INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A, INIT_39, INIT_38, INIT_37, INIT_36, INIT_35,
          INIT_34, INIT_33, INIT_32, INIT_31, INIT_30, INIT_2F, INIT_2E, INIT_2D, INIT_2C, INIT_2B, INIT_2A, INIT_29,
          INIT_28, INIT_27, INIT_26, INIT_25, INIT_24, INIT_23, INIT_22, INIT_21, INIT_20, INIT_1F, INIT_1E, INIT_1D,
          INIT_1C, INIT_1B, INIT_1A, INIT_19, INIT_18, INIT_17, INIT_16, INIT_15, INIT_14, INIT_13, INIT_12, INIT_11,
          INIT_10, INIT_0F, INIT_0E, INIT_0D, INIT_0C, INIT_0B, INIT_0A, INIT_09, INIT_08, INIT_07, INIT_06, INIT_05,
          INIT_04, INIT_03, INIT_02, INIT_01, INIT_00}),
      .INITP({INITP_07, INITP_06, INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00}),
      .START_A(INIT_A), .START_B(INIT_B), .RESET_A(SRVAL_A), .RESET_B(SRVAL_B)
  ) u_ram (
      .a_clk(CLKARDCLK), .a_enable(ENARDEN), .a_reset(RSTRAMARSTRAM), .a_write(8'(WEA)),
      .a_address(ADDRARDADDR[13:0]), .a_in(DINADIN), .a_parity(DINPADINP),
      .a_out(DOUTADOUT), .a_out_parity(DOUTPADOUTP),
      .b_clk(CLKBWRCLK), .b_enable(ENBWREN), .b_reset(RSTRAMB), .b_write(8'(WEBWE)),
      .b_address(ADDRBWRADDR[13:0]), .b_in(DINBDIN), .b_parity(DINPBDINP),
      .b_out(DOUTBDOUT), .b_out_parity(DOUTPBDOUTP)
  );
endmodule

module RAMB36E1 #(
    parameter int READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0, DOA_REG = 0, DOB_REG = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST",
    parameter RAM_MODE = "TDP",
    parameter RAM_EXTENSION_A = "NONE",
    parameter RAM_EXTENSION_B = "NONE",
    parameter [35:0] INIT_A = 36'd0, INIT_B = 36'd0, SRVAL_A = 36'd0, SRVAL_B = 36'd0,
    parameter [255:0] INITP_00 = 256'd0, INITP_01 = 256'd0, INITP_02 = 256'd0, INITP_03 = 256'd0, INITP_04 = 256'd0,
        INITP_05 = 256'd0, INITP_06 = 256'd0, INITP_07 = 256'd0, INITP_08 = 256'd0, INITP_09 = 256'd0, INITP_0A =
        256'd0, INITP_0B = 256'd0, INITP_0C = 256'd0, INITP_0D = 256'd0, INITP_0E = 256'd0, INITP_0F = 256'd0, INIT_00
        = 256'd0, INIT_01 = 256'd0, INIT_02 = 256'd0, INIT_03 = 256'd0, INIT_04 = 256'd0, INIT_05 = 256'd0, INIT_06 =
        256'd0, INIT_07 = 256'd0, INIT_08 = 256'd0, INIT_09 = 256'd0, INIT_0A = 256'd0, INIT_0B = 256'd0, INIT_0C =
        256'd0, INIT_0D = 256'd0, INIT_0E = 256'd0, INIT_0F = 256'd0, INIT_10 = 256'd0, INIT_11 = 256'd0, INIT_12 =
        256'd0, INIT_13 = 256'd0, INIT_14 = 256'd0, INIT_15 = 256'd0, INIT_16 = 256'd0, INIT_17 = 256'd0, INIT_18 =
        256'd0, INIT_19 = 256'd0, INIT_1A = 256'd0, INIT_1B = 256'd0, INIT_1C = 256'd0, INIT_1D = 256'd0, INIT_1E =
        256'd0, INIT_1F = 256'd0, INIT_20 = 256'd0, INIT_21 = 256'd0, INIT_22 = 256'd0, INIT_23 = 256'd0, INIT_24 =
        256'd0, INIT_25 = 256'd0, INIT_26 = 256'd0, INIT_27 = 256'd0, INIT_28 = 256'd0, INIT_29 = 256'd0, INIT_2A =
        256'd0, INIT_2B = 256'd0, INIT_2C = 256'd0, INIT_2D = 256'd0, INIT_2E = 256'd0, INIT_2F = 256'd0, INIT_30 =
        256'd0, INIT_31 = 256'd0, INIT_32 = 256'd0, INIT_33 = 256'd0, INIT_34 = 256'd0, INIT_35 = 256'd0, INIT_36 =
        256'd0, INIT_37 = 256'd0, INIT_38 = 256'd0, INIT_39 = 256'd0, INIT_3A = 256'd0, INIT_3B = 256'd0, INIT_3C =
        256'd0, INIT_3D = 256'd0, INIT_3E = 256'd0, INIT_3F = 256'd0, INIT_40 = 256'd0, INIT_41 = 256'd0, INIT_42 =
        256'd0, INIT_43 = 256'd0, INIT_44 = 256'd0, INIT_45 = 256'd0, INIT_46 = 256'd0, INIT_47 = 256'd0, INIT_48 =
        256'd0, INIT_49 = 256'd0, INIT_4A = 256'd0, INIT_4B = 256'd0, INIT_4C = 256'd0, INIT_4D = 256'd0, INIT_4E =
        256'd0, INIT_4F = 256'd0, INIT_50 = 256'd0, INIT_51 = 256'd0, INIT_52 = 256'd0, INIT_53 = 256'd0, INIT_54 =
        256'd0, INIT_55 = 256'd0, INIT_56 = 256'd0, INIT_57 = 256'd0, INIT_58 = 256'd0, INIT_59 = 256'd0, INIT_5A =
        256'd0, INIT_5B = 256'd0, INIT_5C = 256'd0, INIT_5D = 256'd0, INIT_5E = 256'd0, INIT_5F = 256'd0, INIT_60 =
        256'd0, INIT_61 = 256'd0, INIT_62 = 256'd0, INIT_63 = 256'd0, INIT_64 = 256'd0, INIT_65 = 256'd0, INIT_66 =
        256'd0, INIT_67 = 256'd0, INIT_68 = 256'd0, INIT_69 = 256'd0, INIT_6A = 256'd0, INIT_6B = 256'd0, INIT_6C =
        256'd0, INIT_6D = 256'd0, INIT_6E = 256'd0, INIT_6F = 256'd0, INIT_70 = 256'd0, INIT_71 = 256'd0, INIT_72 =
        256'd0, INIT_73 = 256'd0, INIT_74 = 256'd0, INIT_75 = 256'd0, INIT_76 = 256'd0, INIT_77 = 256'd0, INIT_78 =
        256'd0, INIT_79 = 256'd0, INIT_7A = 256'd0, INIT_7B = 256'd0, INIT_7C = 256'd0, INIT_7D = 256'd0, INIT_7E =
        256'd0, INIT_7F = 256'd0
) (
    input  logic CLKARDCLK, ENARDEN, REGCEAREGCE, RSTRAMARSTRAM, RSTREGARSTREG,
    input  logic CLKBWRCLK, ENBWREN, REGCEB, RSTRAMB, RSTREGB,
    input  logic [15:0] ADDRARDADDR, ADDRBWRADDR,
    input  logic [3:0] WEA,
    input  logic [7:0] WEBWE,
    input  logic [31:0] DIADI, DIBDI,
    input  logic [3:0] DIPADIP, DIPBDIP,
    output logic [31:0] DOADO, DOBDO,
    output logic [3:0] DOPADOP, DOPBDOP
);
  if (DOA_REG != 0 || DOB_REG != 0) $fatal(1, "RAMB36E1: output registers are not known");
  if (RAM_MODE != "TDP" && RAM_MODE != "SDP") $fatal(1, "RAMB36E1: unknown RAM_MODE");
  if (RAM_EXTENSION_A != "NONE" || RAM_EXTENSION_B != "NONE") $fatal(1, "RAMB36E1: cascades are not known");
  bitsmith_xilinx_bram #(
      .ABITS(15), .HALF(4), .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A),
      .WRITE_B(WRITE_WIDTH_B), .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B),
      .INIT({INIT_7F, INIT_7E, INIT_7D, INIT_7C, INIT_7B, INIT_7A, INIT_79, INIT_78, INIT_77, INIT_76, INIT_75,
          INIT_74, INIT_73, INIT_72, INIT_71, INIT_70, INIT_6F, INIT_6E, INIT_6D, INIT_6C, INIT_6B, INIT_6A, INIT_69,
          INIT_68, INIT_67, INIT_66, INIT_65, INIT_64, INIT_63, INIT_62, INIT_61, INIT_60, INIT_5F, INIT_5E, INIT_5D,
          INIT_5C, INIT_5B, INIT_5A, INIT_59, INIT_58, INIT_57, INIT_56, INIT_55, INIT_54, INIT_53, INIT_52, INIT_51,
          INIT_50, INIT_4F, INIT_4E, INIT_4D, INIT_4C, INIT_4B, INIT_4A, INIT_49, INIT_48, INIT_47, INIT_46, INIT_45,
          INIT_44, INIT_43, INIT_42, INIT_41, INIT_40, INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A, INIT_39,
          INIT_38, INIT_37, INIT_36, INIT_35, INIT_34, INIT_33, INIT_32, INIT_31, INIT_30, INIT_2F, INIT_2E, INIT_2D,
          INIT_2C, INIT_2B, INIT_2A, INIT_29, INIT_28, INIT_27, INIT_26, INIT_25, INIT_24, INIT_23, INIT_22, INIT_21,
          INIT_20, INIT_1F, INIT_1E, INIT_1D, INIT_1C, INIT_1B, INIT_1A, INIT_19, INIT_18, INIT_17, INIT_16, INIT_15,
          INIT_14, INIT_13, INIT_12, INIT_11, INIT_10, INIT_0F, INIT_0E, INIT_0D, INIT_0C, INIT_0B, INIT_0A, INIT_09,
          INIT_08, INIT_07, INIT_06, INIT_05, INIT_04, INIT_03, INIT_02, INIT_01, INIT_00}),
      .INITP({INITP_0F, INITP_0E, INITP_0D, INITP_0C, INITP_0B, INITP_0A, INITP_09, INITP_08, INITP_07, INITP_06,
          INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00}),
      .START_A(INIT_A), .START_B(INIT_B), .RESET_A(SRVAL_A), .RESET_B(SRVAL_B)
  ) u_ram (
      .a_clk(CLKARDCLK), .a_enable(ENARDEN), .a_reset(RSTRAMARSTRAM), .a_write(8'(WEA)),
      .a_address(ADDRARDADDR[14:0]), .a_in(DIADI), .a_parity(DIPADIP),
      .a_out(DOADO), .a_out_parity(DOPADOP),
      .b_clk(CLKBWRCLK), .b_enable(ENBWREN), .b_reset(RSTRAMB), .b_write(8'(WEBWE)),
      .b_address(ADDRBWRADDR[14:0]), .b_in(DIBDI), .b_parity(DIPBDIP),
      .b_out(DOBDO), .b_out_parity(DOPBDOP)
  );
endmodule

module RAMB36E2 #(
    parameter int READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0, DOA_REG = 0, DOB_REG = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST",
    parameter [35:0] INIT_A = 36'd0, INIT_B = 36'd0, SRVAL_A = 36'd0, SRVAL_B = 36'd0,
    parameter [255:0] INITP_00 = 256'd0, INITP_01 = 256'd0, INITP_02 = 256'd0, INITP_03 = 256'd0, INITP_04 = 256'd0,
        INITP_05 = 256'd0, INITP_06 = 256'd0, INITP_07 = 256'd0, INITP_08 = 256'd0, INITP_09 = 256'd0, INITP_0A =
        256'd0, INITP_0B = 256'd0, INITP_0C = 256'd0, INITP_0D = 256'd0, INITP_0E = 256'd0, INITP_0F = 256'd0, INIT_00
        = 256'd0, INIT_01 = 256'd0, INIT_02 = 256'd0, INIT_03 = 256'd0, INIT_04 = 256'd0, INIT_05 = 256'd0, INIT_06 =
        256'd0, INIT_07 = 256'd0, INIT_08 = 256'd0, INIT_09 = 256'd0, INIT_0A = 256'd0, INIT_0B = 256'd0, INIT_0C =
        256'd0, INIT_0D = 256'd0, INIT_0E = 256'd0, INIT_0F = 256'd0, INIT_10 = 256'd0, INIT_11 = 256'd0, INIT_12 =
        256'd0, INIT_13 = 256'd0, INIT_14 = 256'd0, INIT_15 = 256'd0, INIT_16 = 256'd0, INIT_17 = 256'd0, INIT_18 =
        256'd0, INIT_19 = 256'd0, INIT_1A = 256'd0, INIT_1B = 256'd0, INIT_1C = 256'd0, INIT_1D = 256'd0, INIT_1E =
        256'd0, INIT_1F = 256'd0, INIT_20 = 256'd0, INIT_21 = 256'd0, INIT_22 = 256'd0, INIT_23 = 256'd0, INIT_24 =
        256'd0, INIT_25 = 256'd0, INIT_26 = 256'd0, INIT_27 = 256'd0, INIT_28 = 256'd0, INIT_29 = 256'd0, INIT_2A =
        256'd0, INIT_2B = 256'd0, INIT_2C = 256'd0, INIT_2D = 256'd0, INIT_2E = 256'd0, INIT_2F = 256'd0, INIT_30 =
        256'd0, INIT_31 = 256'd0, INIT_32 = 256'd0, INIT_33 = 256'd0, INIT_34 = 256'd0, INIT_35 = 256'd0, INIT_36 =
        256'd0, INIT_37 = 256'd0, INIT_38 = 256'd0, INIT_39 = 256'd0, INIT_3A = 256'd0, INIT_3B = 256'd0, INIT_3C =
        256'd0, INIT_3D = 256'd0, INIT_3E = 256'd0, INIT_3F = 256'd0, INIT_40 = 256'd0, INIT_41 = 256'd0, INIT_42 =
        256'd0, INIT_43 = 256'd0, INIT_44 = 256'd0, INIT_45 = 256'd0, INIT_46 = 256'd0, INIT_47 = 256'd0, INIT_48 =
        256'd0, INIT_49 = 256'd0, INIT_4A = 256'd0, INIT_4B = 256'd0, INIT_4C = 256'd0, INIT_4D = 256'd0, INIT_4E =
        256'd0, INIT_4F = 256'd0, INIT_50 = 256'd0, INIT_51 = 256'd0, INIT_52 = 256'd0, INIT_53 = 256'd0, INIT_54 =
        256'd0, INIT_55 = 256'd0, INIT_56 = 256'd0, INIT_57 = 256'd0, INIT_58 = 256'd0, INIT_59 = 256'd0, INIT_5A =
        256'd0, INIT_5B = 256'd0, INIT_5C = 256'd0, INIT_5D = 256'd0, INIT_5E = 256'd0, INIT_5F = 256'd0, INIT_60 =
        256'd0, INIT_61 = 256'd0, INIT_62 = 256'd0, INIT_63 = 256'd0, INIT_64 = 256'd0, INIT_65 = 256'd0, INIT_66 =
        256'd0, INIT_67 = 256'd0, INIT_68 = 256'd0, INIT_69 = 256'd0, INIT_6A = 256'd0, INIT_6B = 256'd0, INIT_6C =
        256'd0, INIT_6D = 256'd0, INIT_6E = 256'd0, INIT_6F = 256'd0, INIT_70 = 256'd0, INIT_71 = 256'd0, INIT_72 =
        256'd0, INIT_73 = 256'd0, INIT_74 = 256'd0, INIT_75 = 256'd0, INIT_76 = 256'd0, INIT_77 = 256'd0, INIT_78 =
        256'd0, INIT_79 = 256'd0, INIT_7A = 256'd0, INIT_7B = 256'd0, INIT_7C = 256'd0, INIT_7D = 256'd0, INIT_7E =
        256'd0, INIT_7F = 256'd0
) (
    input  logic CLKARDCLK, ENARDEN, REGCEAREGCE, RSTRAMARSTRAM, RSTREGARSTREG,
    input  logic CLKBWRCLK, ENBWREN, REGCEB, RSTRAMB, RSTREGB,
    input  logic ADDRENA, ADDRENB, SLEEP,
    input  logic [14:0] ADDRARDADDR, ADDRBWRADDR,
    input  logic [3:0] WEA,
    input  logic [7:0] WEBWE,
    input  logic [31:0] DINADIN, DINBDIN,
    input  logic [3:0] DINPADINP, DINPBDINP,
    output logic [31:0] DOUTADOUT, DOUTBDOUT,
    output logic [3:0] DOUTPADOUTP, DOUTPBDOUTP
);
  if (DOA_REG != 0 || DOB_REG != 0) $fatal(1, "RAMB36E2: output registers are not known");
  always_comb if (!ADDRENA || !ADDRENB || SLEEP) $fatal(1, "RAMB36E2: address enables and sleep are not known");
  bitsmith_xilinx_bram #(
      .ABITS(15), .HALF(4), .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A),
      .WRITE_B(WRITE_WIDTH_B), .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B),
      .INIT({INIT_7F, INIT_7E, INIT_7D, INIT_7C, INIT_7B, INIT_7A, INIT_79, INIT_78, INIT_77, INIT_76, INIT_75,
          INIT_74, INIT_73, INIT_72, INIT_71, INIT_70, INIT_6F, INIT_6E, INIT_6D, INIT_6C, INIT_6B, INIT_6A, INIT_69,
          INIT_68, INIT_67, INIT_66, INIT_65, INIT_64, INIT_63, INIT_62, INIT_61, INIT_60, INIT_5F, INIT_5E, INIT_5D,
          INIT_5C, INIT_5B, INIT_5A, INIT_59, INIT_58, INIT_57, INIT_56, INIT_55, INIT_54, INIT_53, INIT_52, INIT_51,
          INIT_50, INIT_4F, INIT_4E, INIT_4D, INIT_4C, INIT_4B, INIT_4A, INIT_49, INIT_48, INIT_47, INIT_46, INIT_45,
          INIT_44, INIT_43, INIT_42, INIT_41, INIT_40, INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A, INIT_39,
          INIT_38, INIT_37, INIT_36, INIT_35, INIT_34, INIT_33, INIT_32, INIT_31, INIT_30, INIT_2F, INIT_2E, INIT_2D,
          INIT_2C, INIT_2B, INIT_2A, INIT_29, INIT_28, INIT_27, INIT_26, INIT_25, INIT_24, INIT_23, INIT_22, INIT_21,
          INIT_20, INIT_1F, INIT_1E, INIT_1D, INIT_1C, INIT_1B, INIT_1A, INIT_19, INIT_18, INIT_17, INIT_16, INIT_15,
          INIT_14, INIT_13, INIT_12, INIT_11, INIT_10, INIT_0F, INIT_0E, INIT_0D, INIT_0C, INIT_0B, INIT_0A, INIT_09,
          INIT_08, INIT_07, INIT_06, INIT_05, INIT_04, INIT_03, INIT_02, INIT_01, INIT_00}),
      .INITP({INITP_0F, INITP_0E, INITP_0D, INITP_0C, INITP_0B, INITP_0A, INITP_09, INITP_08, INITP_07, INITP_06,
          INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00}),
      .START_A(INIT_A), .START_B(INIT_B), .RESET_A(SRVAL_A), .RESET_B(SRVAL_B)
  ) u_ram (
      .a_clk(CLKARDCLK), .a_enable(ENARDEN), .a_reset(RSTRAMARSTRAM), .a_write(8'(WEA)),
      .a_address(ADDRARDADDR[14:0]), .a_in(DINADIN), .a_parity(DINPADINP),
      .a_out(DOUTADOUT), .a_out_parity(DOUTPADOUTP),
      .b_clk(CLKBWRCLK), .b_enable(ENBWREN), .b_reset(RSTRAMB), .b_write(8'(WEBWE)),
      .b_address(ADDRBWRADDR[14:0]), .b_in(DINBDIN), .b_parity(DINPBDINP),
      .b_out(DOUTBDOUT), .b_out_parity(DOUTPBDOUTP)
  );
endmodule

