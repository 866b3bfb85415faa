// AMD 7 series and UltraScale+ logic cells as yosys maps to them: UG953 and UG974 (libraries guides), cell names and
// parameters as there.  Only rising clock edges are modelled; a cell or a parameter that is missing here ends the build.

module VCC (output logic P);
  assign P = 1'b1;
endmodule

module GND (output logic G);
  assign G = 1'b0;
endmodule

module INV (
    input  logic I,
    output logic O
);
  assign O = !I;
endmodule

module LUT1 #(
    parameter [1:0] INIT = 2'd0
) (
    input  logic I0,
    output logic O
);
  assign O = INIT[I0];
endmodule

module LUT2 #(
    parameter [3:0] INIT = 4'd0
) (
    input  logic I0, I1,
    output logic O
);
  assign O = INIT[{I1, I0}];
endmodule

module LUT3 #(
    parameter [7:0] INIT = 8'd0
) (
    input  logic I0, I1, I2,
    output logic O
);
  assign O = INIT[{I2, I1, I0}];
endmodule

module LUT4 #(
    parameter [15:0] INIT = 16'd0
) (
    input  logic I0, I1, I2, I3,
    output logic O
);
  assign O = INIT[{I3, I2, I1, I0}];
endmodule

module LUT5 #(
    parameter [31:0] INIT = 32'd0
) (
    input  logic I0, I1, I2, I3, I4,
    output logic O
);
  assign O = INIT[{I4, I3, I2, I1, I0}];
endmodule

module LUT6 #(
    parameter [63:0] INIT = 64'd0
) (
    input  logic I0, I1, I2, I3, I4, I5,
    output logic O
);
  assign O = INIT[{I5, I4, I3, I2, I1, I0}];
endmodule

module MUXF7 (
    input  logic I0, I1, S,
    output logic O
);
  assign O = S ? I1 : I0;
endmodule

module MUXF8 (
    input  logic I0, I1, S,
    output logic O
);
  assign O = S ? I1 : I0;
endmodule

module MUXF9 (
    input  logic I0, I1, S,
    output logic O
);
  assign O = S ? I1 : I0;
endmodule

module CARRY4 (
    input  logic CI, CYINIT,
    input  logic [3:0] DI, S,
    output logic [3:0] CO, O
);
  logic [4:0] carry;
  assign carry[0] = CI | CYINIT;
  for (genvar i = 0; i < 4; i++) begin : g_bit
    assign O[i] = S[i] ^ carry[i];
    assign carry[i+1] = S[i] ? carry[i] : DI[i];
  end
  assign CO = carry[4:1];
endmodule

module CARRY8 #(
    parameter CARRY_TYPE = "SINGLE_CY8"
) (
    input  logic CI, CI_TOP,
    input  logic [7:0] DI, S,
    output logic [7:0] CO, O
);
  if (CARRY_TYPE != "SINGLE_CY8") $fatal(1, "CARRY8: only SINGLE_CY8 is known");
  logic [8:0] carry;
  assign carry[0] = CI;
  for (genvar i = 0; i < 8; i++) begin : g_bit
    assign O[i] = S[i] ^ carry[i];
    assign carry[i+1] = S[i] ? carry[i] : DI[i];
  end
  assign CO = carry[8:1];
endmodule

// Flip-flops: R and S synchronous, before the enable; CLR and PRE asynchronous.

module FDRE #(
    parameter [0:0] INIT = 1'b0,
    parameter [0:0] IS_C_INVERTED = 0, IS_D_INVERTED = 0, IS_R_INVERTED = 0
) (
    input  logic C, CE, D, R,
    output logic Q
);
  if (IS_C_INVERTED || IS_D_INVERTED || IS_R_INVERTED) $fatal(1, "FDRE: inverted pins are not known");
  initial Q = INIT;
  always @(posedge C) if (R) Q <= 1'b0; else if (CE) Q <= D;
endmodule

module FDSE #(
    parameter [0:0] INIT = 1'b1,
    parameter [0:0] IS_C_INVERTED = 0, IS_D_INVERTED = 0, IS_S_INVERTED = 0
) (
    input  logic C, CE, D, S,
    output logic Q
);
  if (IS_C_INVERTED || IS_D_INVERTED || IS_S_INVERTED) $fatal(1, "FDSE: inverted pins are not known");
  initial Q = INIT;
  always @(posedge C) if (S) Q <= 1'b1; else if (CE) Q <= D;
endmodule

module FDCE #(
    parameter [0:0] INIT = 1'b0,
    parameter [0:0] IS_C_INVERTED = 0, IS_D_INVERTED = 0, IS_CLR_INVERTED = 0
) (
    input  logic C, CE, D, CLR,
    output logic Q
);
  if (IS_C_INVERTED || IS_D_INVERTED || IS_CLR_INVERTED) $fatal(1, "FDCE: inverted pins are not known");
  initial Q = INIT;
  always @(posedge C or posedge CLR) if (CLR) Q <= 1'b0; else if (CE) Q <= D;
endmodule

module FDPE #(
    parameter [0:0] INIT = 1'b1,
    parameter [0:0] IS_C_INVERTED = 0, IS_D_INVERTED = 0, IS_PRE_INVERTED = 0
) (
    input  logic C, CE, D, PRE,
    output logic Q
);
  if (IS_C_INVERTED || IS_D_INVERTED || IS_PRE_INVERTED) $fatal(1, "FDPE: inverted pins are not known");
  initial Q = INIT;
  always @(posedge C or posedge PRE) if (PRE) Q <= 1'b1; else if (CE) Q <= D;
endmodule

// Shift registers in LUTs.
module SRL16E #(
    parameter [15:0] INIT = 16'd0,
    parameter [0:0] IS_CLK_INVERTED = 0
) (
    input  logic A0, A1, A2, A3, CE, CLK, D,
    output logic Q
);
  if (IS_CLK_INVERTED) $fatal(1, "SRL16E: inverted clocks are not known");
  logic [15:0] line;
  initial line = INIT;
  always @(posedge CLK) if (CE) line <= {line[14:0], D};
  assign Q = line[{A3, A2, A1, A0}];
endmodule

module SRLC16E #(
    parameter [15:0] INIT = 16'd0,
    parameter [0:0] IS_CLK_INVERTED = 0
) (
    input  logic A0, A1, A2, A3, CE, CLK, D,
    output logic Q, Q15
);
  if (IS_CLK_INVERTED) $fatal(1, "SRLC16E: inverted clocks are not known");
  logic [15:0] line;
  initial line = INIT;
  always @(posedge CLK) if (CE) line <= {line[14:0], D};
  assign Q   = line[{A3, A2, A1, A0}];
  assign Q15 = line[15];
endmodule

module SRLC32E #(
    parameter [31:0] INIT = 32'd0,
    parameter [0:0] IS_CLK_INVERTED = 0
) (
    input  logic [4:0] A,
    input  logic CE, CLK, D,
    output logic Q, Q31
);
  if (IS_CLK_INVERTED) $fatal(1, "SRLC32E: inverted clocks are not known");
  logic [31:0] line;
  initial line = INIT;
  always @(posedge CLK) if (CE) line <= {line[30:0], D};
  assign Q   = line[A];
  assign Q31 = line[31];
endmodule
