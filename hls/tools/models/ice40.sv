// Lattice iCE40 cells as yosys maps to them.  What a cell does: SBTICETechnologyLibrary (iCE technology library, Lattice),
// FPGA-TN-02002 (memory usage guide).  Only rising clock edges are modelled; a cell that is missing here ends the build.
// Inputs that the netlist leaves open take the value that the technology library gives them.

module SB_LUT4 #(
    parameter [15:0] LUT_INIT = 16'h0000
) (
    input  logic I0 = 1'b0, I1 = 1'b0, I2 = 1'b0, I3 = 1'b0,
    output logic O
);
  assign O = LUT_INIT[{I3, I2, I1, I0}];
endmodule

module SB_CARRY (
    input  logic I0 = 1'b0, I1 = 1'b0, CI = 1'b0,
    output logic CO
);
  assign CO = (I0 && I1) || ((I0 || I1) && CI);
endmodule

// Flip-flops start at 0.  E: clock enable; SR, SS: synchronous reset and set, which the enable gates too;
// R, S: asynchronous ones.

module SB_DFF (
    input  logic C, D,
    output logic Q
);
  initial Q = 1'b0;
  always @(posedge C) Q <= D;
endmodule

module SB_DFFE (
    input  logic C, D, E = 1'b1,
    output logic Q
);
  initial Q = 1'b0;
  always @(posedge C) if (E) Q <= D;
endmodule

module SB_DFFSR (
    input  logic C, D, R = 1'b0,
    output logic Q
);
  initial Q = 1'b0;
  always @(posedge C) if (R) Q <= 1'b0; else Q <= D;
endmodule

module SB_DFFESR (
    input  logic C, D, E = 1'b1, R = 1'b0,
    output logic Q
);
  initial Q = 1'b0;
  always @(posedge C) if (E) if (R) Q <= 1'b0; else Q <= D;
endmodule

module SB_DFFSS (
    input  logic C, D, S = 1'b0,
    output logic Q
);
  initial Q = 1'b0;
  always @(posedge C) if (S) Q <= 1'b1; else Q <= D;
endmodule

module SB_DFFESS (
    input  logic C, D, E = 1'b1, S = 1'b0,
    output logic Q
);
  initial Q = 1'b0;
  always @(posedge C) if (E) if (S) Q <= 1'b1; else Q <= D;
endmodule

module SB_DFFR (
    input  logic C, D, R = 1'b0,
    output logic Q
);
  initial Q = 1'b0;
  always @(posedge C or posedge R) if (R) Q <= 1'b0; else Q <= D;
endmodule

module SB_DFFER (
    input  logic C, D, E = 1'b1, R = 1'b0,
    output logic Q
);
  initial Q = 1'b0;
  always @(posedge C or posedge R) if (R) Q <= 1'b0; else if (E) Q <= D;
endmodule

module SB_DFFS (
    input  logic C, D, S = 1'b0,
    output logic Q
);
  initial Q = 1'b0;
  always @(posedge C or posedge S) if (S) Q <= 1'b1; else Q <= D;
endmodule

module SB_DFFES (
    input  logic C, D, E = 1'b1, S = 1'b0,
    output logic Q
);
  initial Q = 1'b0;
  always @(posedge C or posedge S) if (S) Q <= 1'b1; else if (E) Q <= D;
endmodule

// 4-kbit block RAM: 256 x 16, 512 x 8, 1024 x 4 or 2048 x 2 (modes 0 to 3), each port for itself.  A word of 16 bits is
// made of groups of 2**mode bits; the high address bits choose one bit in each group, which stands at the group's bit
// (2**mode - 1) / 2 of the data pins.  A word that is being written is read with its new bits wrong: the memory usage
// guide leaves open what is read.
module SB_RAM40_4K #(
    parameter int WRITE_MODE = 0,
    parameter int READ_MODE = 0,
    parameter INIT_FILE = "",
    parameter [255:0] INIT_0 = 256'd0, INIT_1 = 256'd0, INIT_2 = 256'd0, INIT_3 = 256'd0, INIT_4 = 256'd0, INIT_5 =
        256'd0, INIT_6 = 256'd0, INIT_7 = 256'd0, INIT_8 = 256'd0, INIT_9 = 256'd0, INIT_A = 256'd0, INIT_B = 256'd0,
        INIT_C = 256'd0, INIT_D = 256'd0, INIT_E = 256'd0, INIT_F = 256'd0
) (
    output logic [15:0] RDATA,
    input  logic        RCLK,
    input  logic        RCLKE = 1'b1,
    input  logic        RE = 1'b0,
    input  logic [10:0] RADDR,
    input  logic        WCLK,
    input  logic        WCLKE = 1'b1,
    input  logic        WE = 1'b0,
    input  logic [10:0] WADDR,
    input  logic [15:0] MASK = 16'd0,
    input  logic [15:0] WDATA
);
  if (INIT_FILE != "") $fatal(1, "SB_RAM40_4K: INIT_FILE is not known");
  if (WRITE_MODE < 0 || WRITE_MODE > 3 || READ_MODE < 0 || READ_MODE > 3) $fatal(1, "SB_RAM40_4K: unknown mode");
  localparam bit [4095:0] START = {INIT_F, INIT_E, INIT_D, INIT_C, INIT_B, INIT_A, INIT_9, INIT_8, INIT_7, INIT_6,
      INIT_5, INIT_4, INIT_3, INIT_2, INIT_1, INIT_0};
  localparam int W_GROUP = 1 << WRITE_MODE;
  localparam int R_GROUP = 1 << READ_MODE;
  logic [15:0] words[256];
  initial for (int i = 0; i < 256; i++) words[i] = START[16*i+:16];

  logic [2:0] w_chosen, r_chosen;
  assign w_chosen = WADDR[10:8] & 3'(W_GROUP - 1);
  assign r_chosen = RADDR[10:8] & 3'(R_GROUP - 1);

  logic [15:0] stays, written, word, read;
  always_comb begin
    for (int i = 0; i < 16; i++) begin
      written[i] = WDATA[i/W_GROUP*W_GROUP+(W_GROUP-1)/2];
      stays[i] = WRITE_MODE == 0 ? MASK[i] : 3'(i % W_GROUP) != w_chosen;
    end
    word = words[RADDR[7:0]];
    if (WE && WCLKE && WADDR[7:0] == RADDR[7:0]) word ^= ~stays;
    read = 16'd0;
    for (int i = 0; i < 16; i++)
      if (3'(i % R_GROUP) == r_chosen) read[i/R_GROUP*R_GROUP+(R_GROUP-1)/2] = word[i];
  end
  always @(posedge WCLK) if (WE && WCLKE) words[WADDR[7:0]] <= (words[WADDR[7:0]] & stays) | (written & ~stays);
  always @(posedge RCLK) if (RE && RCLKE) RDATA <= read;
endmodule
