// Gowin multipliers (UG287, digital signal processing) in the one mode that yosys maps to: combinational, no cascade.

module MULT9X9 #(
    parameter [0:0] AREG = 1'b0, BREG = 1'b0, OUT_REG = 1'b0, PIPE_REG = 1'b0, ASIGN_REG = 1'b0, BSIGN_REG = 1'b0, SOA_REG = 1'b0,
    parameter MULT_RESET_MODE = "SYNC"
) (
    input  logic [8:0] A, B,
    input  logic [8:0] SIA, SIB,
    input  logic ASEL, BSEL,
    input  logic ASIGN, BSIGN, CE, CLK, RESET,
    output logic [17:0] DOUT,
    output logic [8:0] SOA, SOB
);
  if ({AREG, BREG, OUT_REG, PIPE_REG, ASIGN_REG, BSIGN_REG, SOA_REG} != '0) $fatal(1, "MULT9X9: registers are not known");
  logic signed [9:0] a, b;
  logic signed [19:0] product;
  assign a = {ASIGN && A[8], A};
  assign b = {BSIGN && B[8], B};
  assign product = a * b;
  assign DOUT = product[17:0];
  assign SOA = '0;
  assign SOB = '0;
  always_comb if (ASEL || BSEL) $fatal(1, "MULT9X9: shift chains are not known");
endmodule

module MULT18X18 #(
    parameter [0:0] AREG = 1'b0, BREG = 1'b0, OUT_REG = 1'b0, PIPE_REG = 1'b0, ASIGN_REG = 1'b0, BSIGN_REG = 1'b0, SOA_REG = 1'b0,
    parameter MULT_RESET_MODE = "SYNC"
) (
    input  logic [17:0] A, B,
    input  logic [17:0] SIA, SIB,
    input  logic ASEL, BSEL,
    input  logic ASIGN, BSIGN, CE, CLK, RESET,
    output logic [35:0] DOUT,
    output logic [17:0] SOA, SOB
);
  if ({AREG, BREG, OUT_REG, PIPE_REG, ASIGN_REG, BSIGN_REG, SOA_REG} != '0) $fatal(1, "MULT18X18: registers are not known");
  logic signed [18:0] a, b;
  logic signed [37:0] product;
  assign a = {ASIGN && A[17], A};
  assign b = {BSIGN && B[17], B};
  assign product = a * b;
  assign DOUT = product[35:0];
  assign SOA = '0;
  assign SOB = '0;
  always_comb if (ASEL || BSEL) $fatal(1, "MULT18X18: shift chains are not known");
endmodule

module MULT36X36 #(
    parameter [0:0] AREG = 1'b0, BREG = 1'b0, OUT0_REG = 1'b0, OUT1_REG = 1'b0, PIPE_REG = 1'b0, ASIGN_REG = 1'b0, BSIGN_REG = 1'b0,
    parameter MULT_RESET_MODE = "SYNC"
) (
    input  logic [35:0] A, B,
    input  logic ASIGN, BSIGN, CE, CLK, RESET,
    output logic [71:0] DOUT
);
  if ({AREG, BREG, OUT0_REG, OUT1_REG, PIPE_REG, ASIGN_REG, BSIGN_REG} != '0) $fatal(1, "MULT36X36: registers are not known");
  logic signed [36:0] a, b;
  logic signed [73:0] product;
  assign a = {ASIGN && A[35], A};
  assign b = {BSIGN && B[35], B};
  assign product = a * b;
  assign DOUT = product[71:0];
endmodule

