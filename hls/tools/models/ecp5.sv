// Lattice ECP5 cells as yosys maps to them.  What a cell does: FPGA-DS-02012 (family data sheet), FPGA-TN-02204
// (memory usage guide), FPGA-TN-02205 (sysDSP usage guide); cell names and parameters as in Diamond's library.
// A parameter that no branch knows ends the build: a model never guesses.

module LUT4 #(
    parameter [15:0] INIT = 16'h0000
) (
    input  logic A, B, C, D,
    output logic Z
);
  assign Z = INIT[{D, C, B, A}];
endmodule

module INV (
    input  logic A,
    output logic Z
);
  assign Z = !A;
endmodule

module VLO (output logic Z);
  assign Z = 1'b0;
endmodule

module VHI (output logic Z);
  assign Z = 1'b1;
endmodule

module PFUMX (
    input  logic ALUT, BLUT, C0,
    output logic Z
);
  assign Z = C0 ? ALUT : BLUT;
endmodule

module L6MUX21 (
    input  logic D0, D1, SD,
    output logic Z
);
  assign Z = SD ? D1 : D0;
endmodule

// Two LUT4 with a carry chain.  A stage propagates where its LUT4 is 1; where it is not, it generates what its lower
// quarter, a LUT2 of A and B, says.  INJECT1 "YES" cuts the stage off the chain.
module CCU2C #(
    parameter [15:0] INIT0 = 16'h0000,
    parameter [15:0] INIT1 = 16'h0000,
    parameter INJECT1_0 = "YES",
    parameter INJECT1_1 = "YES"
) (
    input  logic CIN, A0, B0, C0, D0, A1, B1, C1, D1,
    output logic S0, S1, COUT
);
  if ((INJECT1_0 != "YES" && INJECT1_0 != "NO") || (INJECT1_1 != "YES" && INJECT1_1 != "NO"))
    $fatal(1, "CCU2C: unknown INJECT1");
  localparam bit CUT0 = INJECT1_0 == "YES";
  localparam bit CUT1 = INJECT1_1 == "YES";
  logic lut0, lut1, generate0, generate1, middle;
  assign lut0 = INIT0[{D0, C0, B0, A0}];
  assign lut1 = INIT1[{D1, C1, B1, A1}];
  assign generate0 = !CUT0 && INIT0[{2'b00, B0, A0}];
  assign generate1 = !CUT1 && INIT1[{2'b00, B1, A1}];
  assign middle = lut0 ? CIN : generate0;
  assign S0 = lut0 ^ (!CUT0 && CIN);
  assign S1 = lut1 ^ (!CUT1 && middle);
  assign COUT = lut1 ? middle : generate1;
endmodule

module TRELLIS_FF #(
    parameter GSR = "ENABLED",
    parameter CEMUX = "1",
    parameter CLKMUX = "CLK",
    parameter LSRMUX = "LSR",
    parameter SRMODE = "LSR_OVER_CE",
    parameter REGSET = "RESET",
    parameter LSRMODE = "LSR"
) (
    input  logic CLK,
    input  logic LSR = 1'b0,
    input  logic CE = 1'b1,
    input  logic DI,
    input  logic M = 1'b0,
    output logic Q
);
  if (CEMUX != "1" && CEMUX != "CE" && CEMUX != "INV") $fatal(1, "TRELLIS_FF: unknown CEMUX");
  if (CLKMUX != "CLK" && CLKMUX != "INV") $fatal(1, "TRELLIS_FF: unknown CLKMUX");
  if (LSRMUX != "LSR" && LSRMUX != "INV") $fatal(1, "TRELLIS_FF: unknown LSRMUX");
  if (SRMODE != "LSR_OVER_CE" && SRMODE != "ASYNC") $fatal(1, "TRELLIS_FF: unknown SRMODE");
  if (REGSET != "RESET" && REGSET != "SET") $fatal(1, "TRELLIS_FF: unknown REGSET");
  if (LSRMODE != "LSR") $fatal(1, "TRELLIS_FF: unknown LSRMODE");
  localparam bit START = REGSET == "SET";
  logic enable, reset;
  assign enable = CEMUX == "1" || (CEMUX == "CE" ? CE : !CE);
  assign reset  = LSRMUX == "LSR" ? LSR : !LSR;
  initial Q = START;  // the global set/reset after configuration
  if (SRMODE == "ASYNC") begin : g_async
    if (CLKMUX == "CLK") begin : g_rise
      always @(posedge CLK or posedge reset) if (reset) Q <= START; else if (enable) Q <= DI;
    end else begin : g_fall
      always @(negedge CLK or posedge reset) if (reset) Q <= START; else if (enable) Q <= DI;
    end
  end else begin : g_sync
    if (CLKMUX == "CLK") begin : g_rise
      always @(posedge CLK) if (reset) Q <= START; else if (enable) Q <= DI;
    end else begin : g_fall
      always @(negedge CLK) if (reset) Q <= START; else if (enable) Q <= DI;
    end
  end
endmodule

// Distributed RAM of a slice: synchronous write, asynchronous read.
module TRELLIS_DPR16X4 #(
    parameter WCKMUX = "WCK",
    parameter WREMUX = "WRE",
    parameter [63:0] INITVAL = 64'd0
) (
    input  logic [3:0] DI, WAD, RAD,
    input  logic WRE, WCK,
    output logic [3:0] DO
);
  if (WCKMUX != "WCK") $fatal(1, "TRELLIS_DPR16X4: unknown WCKMUX");
  if (WREMUX != "WRE") $fatal(1, "TRELLIS_DPR16X4: unknown WREMUX");
  logic [3:0] words[16];
  initial for (int i = 0; i < 16; i++) words[i] = INITVAL[4*i+:4];
  always @(posedge WCK) if (WRE) words[WAD] <= DI;
  assign DO = words[RAD];
endmodule
