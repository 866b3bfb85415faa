// For simulation only: passes its input on, and locks a while after it is let run.
// verilator lint_off UNUSEDPARAM
module rPLL #(
    parameter     DYN_IDIV_SEL  = "false",
    parameter     DYN_FBDIV_SEL = "false",
    parameter     DYN_ODIV_SEL  = "false",
    parameter     CLKFB_SEL     = "internal",
    parameter     FCLKIN        = "27",
    parameter     DEVICE        = "GW1NR-9C",
    parameter int IDIV_SEL      = 0,
    parameter int FBDIV_SEL     = 0,
    parameter int ODIV_SEL      = 8
) (
    input  logic       CLKIN,
    output logic       CLKOUT,
    output logic       LOCK,
    input  logic       CLKFB,
    input  logic       RESET,
    input  logic       RESET_P,
    input  logic [5:0] FBDSEL,
    input  logic [5:0] IDSEL,
    input  logic [5:0] ODSEL,
    input  logic [3:0] PSDA,
    input  logic [3:0] DUTYDA,
    input  logic [3:0] FDLY
);
  assign CLKOUT = CLKIN;

  logic [3:0] waited;
  initial waited = '0;
  always_ff @(posedge CLKIN) waited <= RESET || RESET_P ? '0 : waited == '1 ? waited : waited + 1'b1;
  assign LOCK = waited == '1;

  logic unused;
  assign unused = ^{CLKFB, FBDSEL, IDSEL, ODSEL, PSDA, DUTYDA, FDLY};
endmodule
// verilator lint_on UNUSEDPARAM
