// Gowin LittleBee and Arora cells as yosys maps to them.  What a cell does: UG288 (configurable function unit), cell names
// and parameters as there.  Only rising clock edges are modelled; a cell or a parameter that is missing here ends the build.

module VCC (output logic V);
  assign V = 1'b1;
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
    output logic F
);
  assign F = INIT[I0];
endmodule

module LUT2 #(
    parameter [3:0] INIT = 4'd0
) (
    input  logic I0, I1,
    output logic F
);
  assign F = INIT[{I1, I0}];
endmodule

module LUT3 #(
    parameter [7:0] INIT = 8'd0
) (
    input  logic I0, I1, I2,
    output logic F
);
  assign F = INIT[{I2, I1, I0}];
endmodule

module LUT4 #(
    parameter [15:0] INIT = 16'd0
) (
    input  logic I0, I1, I2, I3,
    output logic F
);
  assign F = INIT[{I3, I2, I1, I0}];
endmodule

module MUX2_LUT5 (
    input  logic I0, I1, S0,
    output logic O
);
  assign O = S0 ? I1 : I0;
endmodule

module MUX2_LUT6 (
    input  logic I0, I1, S0,
    output logic O
);
  assign O = S0 ? I1 : I0;
endmodule

module MUX2_LUT7 (
    input  logic I0, I1, S0,
    output logic O
);
  assign O = S0 ? I1 : I0;
endmodule

module MUX2_LUT8 (
    input  logic I0, I1, S0,
    output logic O
);
  assign O = S0 ? I1 : I0;
endmodule

// One bit of an adder in the mode that yosys maps to (ADDSUB, UG288 table of ALU modes): I3 high adds, low subtracts.
module ALU #(
    parameter int ALU_MODE = 0
) (
    input  logic I0, I1, I3, CIN,
    output logic SUM, COUT
);
  if (ALU_MODE != 2) $fatal(1, "ALU: only mode 2 is known");
  logic differs;
  assign differs = I0 ^ I1 ^ !I3;
  assign SUM = differs ^ CIN;
  assign COUT = differs ? CIN : I0;
endmodule

// Flip-flops start at the value of their reset.  E: clock enable; R, S: synchronous reset and set, before the enable;
// C, P: asynchronous ones.

module DFF #(
    parameter [0:0] INIT = 1'b0
) (
    input  logic D, CLK,
    output logic Q
);
  if (INIT != 1'b0) $fatal(1, "DFF: it starts at 0");
  initial Q = 1'b0;
  always @(posedge CLK) Q <= D;
endmodule

module DFFE #(
    parameter [0:0] INIT = 1'b0
) (
    input  logic D, CLK, CE,
    output logic Q
);
  if (INIT != 1'b0) $fatal(1, "DFFE: it starts at 0");
  initial Q = 1'b0;
  always @(posedge CLK) if (CE) Q <= D;
endmodule

module DFFR #(
    parameter [0:0] INIT = 1'b0
) (
    input  logic D, CLK, RESET,
    output logic Q
);
  if (INIT != 1'b0) $fatal(1, "DFFR: it starts at 0");
  initial Q = 1'b0;
  always @(posedge CLK) if (RESET) Q <= 1'b0; else Q <= D;
endmodule

module DFFRE #(
    parameter [0:0] INIT = 1'b0
) (
    input  logic D, CLK, CE, RESET,
    output logic Q
);
  if (INIT != 1'b0) $fatal(1, "DFFRE: it starts at 0");
  initial Q = 1'b0;
  always @(posedge CLK) if (RESET) Q <= 1'b0; else if (CE) Q <= D;
endmodule

module DFFS #(
    parameter [0:0] INIT = 1'b1
) (
    input  logic D, CLK, SET,
    output logic Q
);
  if (INIT != 1'b1) $fatal(1, "DFFS: it starts at 1");
  initial Q = 1'b1;
  always @(posedge CLK) if (SET) Q <= 1'b1; else Q <= D;
endmodule

module DFFSE #(
    parameter [0:0] INIT = 1'b1
) (
    input  logic D, CLK, CE, SET,
    output logic Q
);
  if (INIT != 1'b1) $fatal(1, "DFFSE: it starts at 1");
  initial Q = 1'b1;
  always @(posedge CLK) if (SET) Q <= 1'b1; else if (CE) Q <= D;
endmodule

module DFFC #(
    parameter [0:0] INIT = 1'b0
) (
    input  logic D, CLK, CLEAR,
    output logic Q
);
  if (INIT != 1'b0) $fatal(1, "DFFC: it starts at 0");
  initial Q = 1'b0;
  always @(posedge CLK or posedge CLEAR) if (CLEAR) Q <= 1'b0; else Q <= D;
endmodule

module DFFCE #(
    parameter [0:0] INIT = 1'b0
) (
    input  logic D, CLK, CE, CLEAR,
    output logic Q
);
  if (INIT != 1'b0) $fatal(1, "DFFCE: it starts at 0");
  initial Q = 1'b0;
  always @(posedge CLK or posedge CLEAR) if (CLEAR) Q <= 1'b0; else if (CE) Q <= D;
endmodule

module DFFP #(
    parameter [0:0] INIT = 1'b1
) (
    input  logic D, CLK, PRESET,
    output logic Q
);
  if (INIT != 1'b1) $fatal(1, "DFFP: it starts at 1");
  initial Q = 1'b1;
  always @(posedge CLK or posedge PRESET) if (PRESET) Q <= 1'b1; else Q <= D;
endmodule

module DFFPE #(
    parameter [0:0] INIT = 1'b1
) (
    input  logic D, CLK, CE, PRESET,
    output logic Q
);
  if (INIT != 1'b1) $fatal(1, "DFFPE: it starts at 1");
  initial Q = 1'b1;
  always @(posedge CLK or posedge PRESET) if (PRESET) Q <= 1'b1; else if (CE) Q <= D;
endmodule

// Distributed RAM: synchronous write, asynchronous read.
module bitsmith_gowin_lutram #(
    parameter int WIDTH = 4,
    parameter [63:0] INIT = 64'd0  // 16 bits for each bit of a word
) (
    input  logic [WIDTH-1:0] di,
    input  logic [3:0] write_address, read_address,
    input  logic write, clk,
    output logic [WIDTH-1:0] q
);
  logic [15:0] bits[WIDTH];
  initial for (int i = 0; i < WIDTH; i++) bits[i] = INIT[16*i+:16];
  always @(posedge clk)
    if (write) for (int i = 0; i < WIDTH; i++) bits[i][write_address] <= di[i];
  always_comb for (int i = 0; i < WIDTH; i++) q[i] = bits[i][read_address];
endmodule

module RAM16SDP1 #(
    parameter [15:0] INIT_0 = 16'd0
) (
    input  logic DI,
    input  logic [3:0] WAD, RAD,
    input  logic WRE, CLK,
    output logic DO
);
  bitsmith_gowin_lutram #(.WIDTH(1), .INIT({INIT_0})) u_ram (
      .di(DI), .write_address(WAD), .read_address(RAD), .write(WRE), .clk(CLK), .q(DO)
  );
endmodule

module RAM16SDP2 #(
    parameter [15:0] INIT_0 = 16'd0, INIT_1 = 16'd0
) (
    input  logic [1:0] DI,
    input  logic [3:0] WAD, RAD,
    input  logic WRE, CLK,
    output logic [1:0] DO
);
  bitsmith_gowin_lutram #(.WIDTH(2), .INIT({INIT_1, INIT_0})) u_ram (
      .di(DI), .write_address(WAD), .read_address(RAD), .write(WRE), .clk(CLK), .q(DO)
  );
endmodule

module RAM16SDP4 #(
    parameter [15:0] INIT_0 = 16'd0, INIT_1 = 16'd0, INIT_2 = 16'd0, INIT_3 = 16'd0
) (
    input  logic [3:0] DI,
    input  logic [3:0] WAD, RAD,
    input  logic WRE, CLK,
    output logic [3:0] DO
);
  bitsmith_gowin_lutram #(.WIDTH(4), .INIT({INIT_3, INIT_2, INIT_1, INIT_0})) u_ram (
      .di(DI), .write_address(WAD), .read_address(RAD), .write(WRE), .clk(CLK), .q(DO)
  );
endmodule

