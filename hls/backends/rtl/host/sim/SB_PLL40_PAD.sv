// For simulation only: passes its input on, and locks a while after it is let run.
// verilator lint_off UNUSEDPARAM
module SB_PLL40_PAD #(
    parameter             FEEDBACK_PATH = "SIMPLE",
    parameter logic [3:0] DIVR          = '0,
    parameter logic [6:0] DIVF          = '0,
    parameter logic [2:0] DIVQ          = '0,
    parameter logic [2:0] FILTER_RANGE  = '0
) (
    input  logic PACKAGEPIN,
    output logic PLLOUTGLOBAL,
    output logic LOCK,
    input  logic RESETB,
    input  logic BYPASS
);
  assign PLLOUTGLOBAL = PACKAGEPIN;

  logic [3:0] waited;
  initial waited = '0;
  always_ff @(posedge PACKAGEPIN) waited <= !RESETB || BYPASS ? '0 : waited == '1 ? waited : waited + 1'b1;
  assign LOCK = waited == '1;
endmodule
// verilator lint_on UNUSEDPARAM
